"""Whether two workers on two halves of the relays take in more than one worker on all of them.

    python -m bench.ingest_workers [--rounds N] [--events N]

Two relays send half of the events each, as fast as they are read. One worker reads both, then two
workers read one each, in turns. Everything shares the machine, so the processor time of each says
what binds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest import (
    POLL_SECONDS,
    STORED,
    Site,
    flood_began,
    made,
    report,
    spread,
    worker_numbers,
)
from bench.processes import cpu_seconds


def rate(site: Site, halves: list[Path], workers: int, events: int) -> dict[str, float]:
    """Unique events a second, and the share of a core that each kind of process had."""
    site.empty()
    with contextlib.ExitStack() as stack:
        relays = [stack.enter_context(site.relay(half)) for half in halves]
        urls = [url for _, url in relays]
        shares = [urls] if workers == 1 else [[url] for url in urls]
        running = [stack.enter_context(site.worker(*share)) for share in shares]
        began = min(flood_began(relay) for relay, _ in relays)
        assert site.server.process is not None
        pids = {
            "workers": [process.pid for process, _ in running],
            "clickhouse": [site.server.process.pid],
            "relays": [relay.pid for relay, _ in relays],
        }
        before = {who: sum(map(cpu_seconds, which)) for who, which in pids.items()}
        while (
            sum(
                worker_numbers(port).get("ingestion_events_written_total", 0) for _, port in running
            )
            < events
        ):
            assert all(process.poll() is None for process, _ in running)
            time.sleep(POLL_SECONDS)
        seconds = time.time() - began
        used = {who: sum(map(cpu_seconds, which)) - before[who] for who, which in pids.items()}
    assert site.door.select(STORED, {})[0]["ids"] == events
    return {
        "unique events/s": events / seconds,
        "cores used": sum(used.values()) / seconds,
        **{f"{who}: cores used": cpu / seconds for who, cpu in used.items()},
        **{f"{who}: CPU us/event": 1e6 * cpu / events for who, cpu in used.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000, help="of each round")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

    results: dict[str, Any] = {"cores": os.cpu_count()}
    measured: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        try:
            lines = made(site.directory, options.events).read_bytes().splitlines(keepends=True)
            halves = [site.directory / "first.jsonl", site.directory / "second.jsonl"]
            for number, half in enumerate(halves):
                half.write_bytes(b"".join(lines[number::2]))
            for _ in range(options.rounds):
                for workers, rates in measured.items():
                    rates.append(rate(site, halves, workers, len(lines)))
        finally:
            site.close()
    for workers, rates in measured.items():
        for name in rates[0]:
            results[f"{workers}. {name}"] = spread([one[name] for one in rates], digits=2)
    results["two workers / one"] = spread(
        [
            two["unique events/s"] / one["unique events/s"]
            for one, two in zip(measured[1], measured[2], strict=True)
        ],
        digits=2,
    )
    report(results)
    path = Path(__file__).parent / "results" / "ingest_workers.json"
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
