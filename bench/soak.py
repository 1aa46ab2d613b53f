"""Mixed reads for minutes while events come in: errors, memory, and what the slowest wait for.

    python -m bench.soak [--minutes N] [--rate EVENTS_PER_SECOND] [--clients N] [--reads PER_SECOND]
                         [--history EVENTS]

The database holds made-up events of a month before it begins: the first minute of an empty one is
that of no service. A relay sends new events at that rate; a worker, the projector, the embedded
ClickHouse and gunicorn with two workers run beside it, and clients ask for feeds, videos, people,
searches and numbers.
Bounded: it ends by itself after so many minutes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog

from bench.ingest import Site, made, wait_for
from bench.processes import children, cpu_seconds, resident_mib
from tests.ports import free_port

# Signing takes longer than sending: so many seconds' events are made, and no more are sent.
SPARE_SECONDS = 10
LISTS = (
    "/api/videos?" + urlencode({"sort": "recent", "limit": 20}),
    "/api/videos?" + urlencode({"sort": "trending"}),
    "/api/videos?" + urlencode({"sort": "popular", "limit": 10}),
    "/api/v2/videos?" + urlencode({"sort": "recent", "limit": 10}),
    "/api/search?" + urlencode({"q": "video"}),
    "/api/hashtags",
    "/api/hashtags/trending",
    "/api/creators/top",
    "/api/leaderboard/videos?period=week",
    "/api/stats",
    "/feed/latest",
)


@dataclass
class Minute:
    """What was answered in it: seconds of each request, and how many of each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    rss_mib: dict[str, float] = field(default_factory=dict)


class Reader:
    """One client with one connection, which asks at a steady rate whatever it has to wait."""

    def __init__(self, port: int, *, per_second: float, seed: int) -> None:
        self.port = port
        self.pause = 1 / per_second
        self.chance = random.Random(seed)
        self.minutes: list[Minute] = []
        self.videos: list[dict[str, Any]] = []

    def target(self) -> str:
        # Half of what apps ask is about one video or one person.
        if self.videos and self.chance.random() < 0.5:
            video = self.chance.choice(self.videos)
            return self.chance.choice(
                [
                    f"/api/videos/{video['id']}",
                    f"/api/videos/{video['id']}/stats",
                    f"/api/users/{video['pubkey']}/videos",
                    f"/api/users/{video['pubkey']}",
                ]
            )
        return self.chance.choice(LISTS)

    def run(self, until: float, began: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        due = time.monotonic()
        while time.monotonic() < until:
            target = self.target()
            started = time.monotonic()
            try:
                connection.request("GET", target)
                response = connection.getresponse()
                body, status = response.read(), response.status
            except (OSError, http.client.HTTPException):
                connection.close()
                body, status = b"", 0
            minute = int((started - began) // 60)
            while len(self.minutes) <= minute:
                self.minutes.append(Minute())
            of = self.minutes[minute]
            of.seconds.append(time.monotonic() - started)
            of.statuses[status] = of.statuses.get(status, 0) + 1
            if status == 200 and target == LISTS[0]:
                self.videos = json.loads(body)
            due = max(due + self.pause, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
        connection.close()


def slope(values: list[float]) -> float:
    """By how much they grow from one to the next, by least squares."""
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope


def measured(options: argparse.Namespace) -> dict[str, Any]:
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        site = Site(directory)
        port = free_port()
        if options.history:
            history = (f"--count={options.history}", "--days=30")
            site.run("manage.py", "generate_events", *history).wait()
        file = made(directory, int(options.rate * (seconds + SPARE_SECONDS)))
        projector = site.run("manage.py", "project_read_model")
        api = site.run(
            "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", WEB_CONCURRENCY="2", RATE_LIMIT="0",
            # Full after minutes, so that what grows then is no answer that is kept.
            CACHE_MEMORY_MB="8",
        )  # fmt: skip
        try:
            wait_for(port)
            with site.flooding(file, f"--rate={options.rate}") as ingestion:
                began = time.monotonic()
                readers = [
                    Reader(port, per_second=options.reads / options.clients, seed=seed)
                    for seed in range(options.clients)
                ]
                threads = [
                    threading.Thread(target=reader.run, args=(began + seconds, began))
                    for reader in readers
                ]
                for thread in threads:
                    thread.start()
                assert site.server.process is not None
                processes = {
                    "worker": [ingestion.worker.pid],
                    "projector": [projector.pid],
                    "clickhouse": [site.server.process.pid],
                    "api": children(api.pid),
                }
                memory: list[dict[str, float]] = []
                while time.monotonic() < began + seconds:
                    # Once a minute, and at least four times.
                    time.sleep(min(60.0, seconds / 4))
                    memory.append(
                        {
                            who: round(sum(map(resident_mib, pids)), 1)
                            for who, pids in processes.items()
                        }
                    )
                for thread in threads:
                    thread.join()
                written = ingestion.numbers().get("ingestion_events_written_total", 0)
                cores = {
                    who: round(sum(map(cpu_seconds, pids)) / seconds, 2)
                    for who, pids in processes.items()
                }
        finally:
            for process in (projector, api):
                process.terminate()
                process.wait(30)
            site.close()
    minutes = []
    for at in range(max(len(reader.minutes) for reader in readers)):
        of = [reader.minutes[at] for reader in readers if at < len(reader.minutes)]
        waited = sorted(second for minute in of for second in minute.seconds)
        if len(waited) < 100:
            continue
        statuses: dict[int, int] = {}
        for minute in of:
            for status, times in minute.statuses.items():
                statuses[status] = statuses.get(status, 0) + times
        minutes.append(
            {
                "requests": len(waited),
                "p50_ms": round(1000 * statistics.median(waited), 1),
                "p99_ms": round(1000 * waited[int(len(waited) * 0.99)], 1),
                "statuses": statuses,
            }
        )
    settled = memory[len(memory) // 4 :]
    per_minute = 60 / min(60.0, seconds / 4)
    p99 = [minute["p99_ms"] for minute in minutes]
    return {
        "history": options.history,
        "minutes": minutes,
        "events_per_second": round(written / seconds),
        "server_errors": sum(
            times
            for minute in minutes
            for status, times in minute["statuses"].items()
            if status >= 500 or status == 0
        ),
        "p99_of_a_minute_over_first_min_median_max": [
            round(value / p99[0], 2) for value in (min(p99), statistics.median(p99), max(p99))
        ],
        "rss_mib": memory,
        "rss_mib_per_minute": {
            who: round(per_minute * slope([of[who] for of in settled]), 2) for who in memory[0]
        },
        "cores": cores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rate", type=float, default=1_000, help="events a second")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--reads", type=float, default=100, help="requests a second in all")
    parser.add_argument("--history", type=int, default=200_000, help="events from before")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    result = measured(options)

    print("minute | requests | p50 ms | p99 ms | statuses")
    for number, minute in enumerate(result["minutes"], start=1):
        print(
            f"{number:>6} | {minute['requests']:>8} | {minute['p50_ms']:>6} |"
            f" {minute['p99_ms']:>6} | {minute['statuses']}"
        )
    for what in (
        "events_per_second",
        "server_errors",
        "p99_of_a_minute_over_first_min_median_max",
        "rss_mib_per_minute",
        "cores",
    ):
        print(f"{what}: {result[what]}")
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "soak.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
