"""How fast a worker takes in what relays had to keep back while ClickHouse was away.

    python -m bench.ingest_outage [--rate EVENTS_PER_SECOND] [--seconds N]

A relay sends new events at that rate. ClickHouse is stopped in its tracks for so many seconds
(SIGSTOP), and another time killed and started again. From the moment at which it is back, until the
worker is no more than a second of events behind, is the catching up; the rate is that of events
which ClickHouse has acknowledged in that time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest import STORED, Ingestion, Site, made, report
from bench.processes import resident_mib

BEFORE_SECONDS = 5
# Sent at most for so long after the outage; a worker that is slower than 1.2 times live is not
# waited for.
AFTER_SHARE = 5
POLL_SECONDS = 0.1
# What a worker that keeps up is behind, in seconds of events: a batch that gathers and one on its
# way.
CAUGHT_UP_SECONDS = 1.5


def outage(site: Site, file: Path, rate: float, seconds: float, way: str) -> dict[str, Any]:
    site.empty()
    with site.flooding(file, f"--rate={rate}") as ingestion:
        time.sleep(BEFORE_SECONDS)
        assert written(ingestion), "nothing came in before the outage"
        stop(site, seconds, way)
        back_at, before = time.time(), written(ingestion)
        most = 0.0
        while True:
            now, done = time.time(), written(ingestion)
            most = max(most, resident_mib(ingestion.worker.pid))
            if (now - ingestion.began) * rate - done < CAUGHT_UP_SECONDS * rate:
                break
            assert now - back_at < AFTER_SHARE * seconds, "the worker does not catch up"
            time.sleep(POLL_SECONDS)
    stored = site.door.select(STORED, {})[0]["ids"]
    assert stored >= done, f"{done - stored} acknowledged events are not there"
    caught_up = (done - before) / (now - back_at)
    return {
        f"{way}. live events/s": round(rate),
        f"{way}. seconds away": round(seconds, 1),
        f"{way}. events behind when it was back": round(
            (back_at - ingestion.began) * rate - before
        ),
        f"{way}. seconds until caught up": round(now - back_at, 2),
        f"{way}. catching up, events/s": round(caught_up),
        f"{way}. catching up / live": round(caught_up / rate, 2),
        f"{way}. worker MiB, max": round(most),
    }


def written(ingestion: Ingestion) -> float:
    assert ingestion.worker.poll() is None
    return ingestion.numbers().get("ingestion_events_written_total", 0)


def stop(site: Site, seconds: float, way: str) -> None:
    """Returns when ClickHouse is back."""
    process = site.server.process
    assert process is not None
    if way == "stopped":
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
    else:
        process.kill()
        process.wait()
        time.sleep(seconds)
        site.server.start()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=2_000, help="live events a second")
    parser.add_argument("--seconds", type=float, default=20, help="of the outage")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

    results: dict[str, Any] = {"cores": os.cpu_count()}
    events = int(options.rate * (BEFORE_SECONDS + (1 + AFTER_SHARE) * options.seconds))
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        try:
            file = made(site.directory, events)
            for way in ("stopped", "killed"):
                results |= outage(site, file, options.rate, options.seconds, way)
        finally:
            site.close()
    report(results)
    path = Path(__file__).parent / "results" / "ingest_outage.json"
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
