"""Whether a worker's memory stays flat at full speed.

    python -m bench.ingest_memory [--minutes N] [--events N]

A relay sends its events as fast as they are read, and begins again after the last: with more of
them than the worker remembers ids of, it checks and writes each of them again. The slope is that of
the time after the worker has taken in as many events as it can remember, or of the last half.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest import Site, made, report
from bench.processes import resident_mib
from ingestion.pipeline import RECENT_IDS

SAMPLE_SECONDS = 1.0
KEPT_SAMPLES = 120


def memory(site: Site, file: Path, seconds: float) -> dict[str, Any]:
    """`samples`: seconds since the start, MiB, events written."""
    samples: list[tuple[float, float, float]] = []
    with site.flooding(file, "--again") as ingestion:
        while (past := time.time() - ingestion.began) < seconds:
            time.sleep(SAMPLE_SECONDS)
            assert ingestion.worker.poll() is None
            written = ingestion.numbers().get("ingestion_events_written_total", 0)
            samples.append((round(past, 1), resident_mib(ingestion.worker.pid), written))
    full = [sample for sample in samples if sample[2] > 2 * RECENT_IDS]
    settled = full if len(full) * 2 > len(samples) else samples[len(samples) // 2 :]
    line = statistics.linear_regression(
        [at for at, _, _ in settled], [mib for _, mib, _ in settled]
    )
    return {
        "minutes": round(seconds / 60, 1),
        "events/s": round(samples[-1][2] / samples[-1][0]),
        "worker MiB, first/last/max": [
            round(samples[0][1]),
            round(samples[-1][1]),
            round(max(mib for _, mib, _ in samples)),
        ],
        "settled after minutes": round(settled[0][0] / 60, 1),
        "worker MiB/minute, settled": round(60 * line.slope, 3),
        "samples": samples[:: max(1, len(samples) // KEPT_SAMPLES)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--events", type=int, default=500_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        try:
            results = memory(site, made(site.directory, options.events), options.minutes * 60)
        finally:
            site.close()
    report({name: value for name, value in results.items() if name != "samples"})
    path = Path(__file__).parent / "results" / "ingest_memory.json"
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
