"""How fast events come in, against what the unavoidable work alone would take.

    python -m bench.ingest [--rounds N] [--events N] [--minutes X]

(a) Rate with full verification over B, the harmonic ceiling of one core that only parses, hashes
and builds rows (C_par) and only checks signatures (C_ver), by CPU time:
B = 1 / (1 / C_par + 1 / C_ver).
(b) Rate in trusted mode over C_ins, the rate at which the same rows, made before, go into the same
schema by the same driver in batches of 5,000.
(c) Sustained rate with 4.7 copies of each event, and the slope of the worker's memory meanwhile.
(d) Freshness at 1,000 events/s: from the relay's sending a reaction to its being in the answer of
/api/videos/{id}/stats.

Relay, worker, embedded ClickHouse, projector and API share the machine. (a) and (b) are in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import orjson
from coincurve import PublicKeyXOnly

from bench.processes import cpu_seconds, resident_mib
from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from ingestion.writer import EVENT_COLUMNS
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer
from tests.crowd import PEOPLE, Crowd, Signed
from tests.ports import free_port

DATABASE = "bench"
CEILING_BATCH = 5_000
COPIES = 4.7
FRESHNESS_RATE = 1_000
FRESHNESS_SECONDS = 40
# Not a whole number of batches, or all markers would come at the same moment of one.
MARKER_EVERY = 487
POLL_SECONDS = 0.1
# The worker answers: asked more often, it would be measured answering.
WORKER_POLL_SECONDS = 0.25
# The first seconds are growth to the working size, not a leak.
WARM_UP_SHARE = 0.25

TABLES = parse_query(
    "bench.tables",
    """-- Everything that holds rows.
    SELECT name
    FROM system.tables
    WHERE database = currentDatabase()
        AND endsWith(engine, 'MergeTree')
        AND name != 'schema_migrations'
    """,
)
STORED = parse_query("bench.stored", "-- Events.\nSELECT uniqExact(id) AS ids FROM events_local")
PARTS = parse_query(
    "bench.parts",
    """-- The most active parts that one partition has.
    SELECT max(parts) AS parts
    FROM (
        SELECT count() AS parts
        FROM system.parts
        WHERE active AND database = currentDatabase()
        GROUP BY table, partition
    )
    """,
)


class Site:
    """The processes of one bench, on free ports, in one temporary directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = LocalServer(directory)
        self.server.start()
        settings = self.server.migrate(DATABASE)
        self.door = Clickhouse({**settings, "query_seconds": 120})
        self.environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "funnel.settings",
            "SECRET_KEY": "bench",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": f"sqlite:///{directory / 'django.sqlite3'}",
            "CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{self.server.port}",
            "CLICKHOUSE_USER": "default",
            "CLICKHOUSE_PASSWORD": PASSWORD,
            "CLICKHOUSE_DATABASE": DATABASE,
            "WEB_CONCURRENCY": "1",
            "RATE_LIMIT": "0",
        }
        self.run("manage.py", "migrate", "--skip-checks", "-v0").wait()

    def run(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.directory / "processes.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=REPOSITORY,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
            )

    def empty(self) -> None:
        for table in self.door.select(TABLES, {}):
            self.door.command(f"TRUNCATE TABLE {table['name']}")

    @contextlib.contextmanager
    def flooding(self, events: Path, *arguments: str, **environment: str) -> Iterator[Ingestion]:
        """A relay and a worker that reads it."""
        with (
            self.relay(events, *arguments) as (relay, url),
            self.worker(url, **environment) as (worker, metrics_port),
        ):
            yield Ingestion(flood_began(relay), relay, worker, metrics_port)

    @contextlib.contextmanager
    def relay(self, events: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """A relay that waits for somebody to flood, and its address."""
        relay = subprocess.Popen(
            [sys.executable, "-m", "bench.flood_relay", str(events), *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert relay.stdout is not None
        try:
            yield relay, f"ws://127.0.0.1:{int(relay.stdout.readline())}"
        finally:
            relay.kill()
            relay.wait()
            relay.stdout.close()

    @contextlib.contextmanager
    def worker(
        self, *urls: str, **environment: str
    ) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """A worker that reads these relays, and the port of its metrics."""
        metrics_port = free_port()
        worker = self.run(
            "manage.py",
            "ingest_relay",
            f"--metrics-port={metrics_port}",
            RELAY_URLS=",".join(urls),
            **environment,
        )
        try:
            yield worker, metrics_port
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)

    def close(self) -> None:
        self.door.close()
        self.server.stop()


class Ingestion:
    """A worker at work."""

    def __init__(
        self,
        began: float,
        relay: subprocess.Popen[str],
        worker: subprocess.Popen[bytes],
        metrics_port: int,
    ) -> None:
        self.began = began
        self.relay = relay
        self.worker = worker
        self._metrics_port = metrics_port

    def numbers(self) -> dict[str, float]:
        return worker_numbers(self._metrics_port)

    def seconds_until_written(self, events: int) -> float:
        while self.numbers().get("ingestion_events_written_total", 0) < events:
            assert self.worker.poll() is None
            time.sleep(WORKER_POLL_SECONDS)
        return time.time() - self.began


def flood_began(relay: subprocess.Popen[str]) -> float:
    """Waits for it; Unix seconds."""
    assert relay.stdout is not None
    return float(relay.stdout.readline())


def worker_numbers(metrics_port: int) -> dict[str, float]:
    page = urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10).read().decode()
    found = re.findall(r"^(ingestion_\w+?)(?:\{[^}]*\})? ([\d.e+-]+)$", page, re.MULTILINE)
    return {name: float(value) for name, value in found}


# --- Events ---------------------------------------------------------------------------------------


def made(directory: Path, events: int) -> Path:
    """A file with so many distinct events, one JSON a line, none of them a view."""
    cores = os.cpu_count() or 1
    shares = [events // cores + (core < events % cores) for core in range(cores)]
    files = [directory / f"events-{events}-{core}.jsonl" for core in range(cores)]
    # Each has seconds of its own, so that no two sign the same profile.
    seconds = [share // 1_000 + 1 for share in shares]
    end = int(time.time()) - 60
    starts = [end - sum(seconds[core:]) for core in range(cores)]
    with ProcessPoolExecutor(cores) as signers:
        list(signers.map(sign, files, shares, starts))
    with files[0].open("ab") as lines:
        for file in files[1:]:
            with file.open("rb") as more:
                shutil.copyfileobj(more, lines, 2**20)
            file.unlink()
    return files[0]


def sign(file: Path, events: int, start: int) -> None:
    crowd = Crowd(file.name)
    seen: set[str] = set()
    with file.open("wb") as lines:
        while len(seen) < events:
            signed = crowd.next(start + len(seen) // 1_000)
            if signed.event.kind != Kind.VIEW and signed.event.id not in seen:
                seen.add(signed.event.id)
                lines.write(signed.json + b"\n")


# --- Ceilings -------------------------------------------------------------------------------------


def rows_of(lines: list[bytes]) -> list[tuple[Any, ...]]:
    rows = []
    for line in lines:
        raw = orjson.loads(line)
        commitment = [0, raw["pubkey"], raw["created_at"], raw["kind"], raw["tags"], raw["content"]]
        assert hashlib.sha256(orjson.dumps(commitment)).hexdigest() == raw["id"]
        rows.append((*(raw[name] for name in EVENT_COLUMNS[:-1]), 0))
    return rows


def ceilings(site: Site, lines: list[bytes]) -> dict[str, float]:
    """Events a second of each kind of unavoidable work by itself.

    Of this process's own work a second of CPU time, so that B can be compared with the worker's.
    """
    began = time.process_time()
    rows = rows_of(lines)
    parsing = time.process_time() - began

    keys = {row[1]: PublicKeyXOnly(bytes.fromhex(row[1])) for row in rows}
    began = time.process_time()
    for row in rows:
        assert keys[row[1]].verify(bytes.fromhex(row[6]), bytes.fromhex(row[0]))
    verifying = time.process_time() - began

    site.empty()
    began = time.perf_counter()
    for start in range(0, len(rows), CEILING_BATCH):
        site.door.insert("events_local", EVENT_COLUMNS, rows[start : start + CEILING_BATCH])
    inserting = time.perf_counter() - began
    return {
        "C_par": len(rows) / parsing,
        "C_ver": len(rows) / verifying,
        "C_ins": len(rows) / inserting,
        "B": len(rows) / (parsing + verifying),
    }


# --- Rates ----------------------------------------------------------------------------------------


def rate(site: Site, file: Path, events: int, verify: str) -> dict[str, float]:
    site.empty()
    with site.flooding(file, VERIFY=verify) as ingestion:
        assert site.server.process is not None
        pids = {
            "worker": ingestion.worker.pid,
            "clickhouse": site.server.process.pid,
            "relay": ingestion.relay.pid,
        }
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        seconds = ingestion.seconds_until_written(events)
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        inserts = ingestion.numbers()["ingestion_batch_size_count"]
    assert site.door.select(STORED, {})[0]["ids"] == events
    return {
        "rate": events / seconds,
        "rate_per_worker_cpu": events / used["worker"],
        "inserts_per_second": inserts / seconds,
        **{f"{name}_cpu_share": cpu / seconds for name, cpu in used.items()},
    }


def in_turns(site: Site, file: Path, events: int, rounds: int) -> dict[str, Any]:
    lines = file.read_bytes().splitlines()
    measured: dict[str, list[dict[str, float]]] = {"ceilings": [], "full": [], "trusted": []}
    for _ in range(rounds):
        measured["ceilings"].append(ceilings(site, lines))
        measured["full"].append(rate(site, file, events, "full"))
        measured["trusted"].append(rate(site, file, events, "trusted"))
    results: dict[str, Any] = {}
    for part, each in measured.items():
        for name in each[0]:
            results[f"{part}.{name}"] = spread([one[name] for one in each])
    for name, part, ceiling in (("a", "full", "B"), ("b", "trusted", "C_ins")):
        for of in ("rate", "rate_per_worker_cpu"):
            results[f"{name}. {part} {of} / {ceiling}"] = spread(
                [
                    one[of] / limits[ceiling]
                    for one, limits in zip(measured[part], measured["ceilings"], strict=True)
                ],
                digits=3,
            )
    return results


def sustained(site: Site, file: Path, seconds: float) -> dict[str, Any]:
    site.empty()
    memory: list[tuple[float, float]] = []
    parts = 0
    arguments = (f"--copies={COPIES}", f"--seconds={seconds}")
    with site.flooding(file, *arguments) as ingestion:
        assert site.server.process is not None
        pids = {
            "worker": ingestion.worker.pid,
            "clickhouse": site.server.process.pid,
            "relay": ingestion.relay.pid,
        }
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        started, first = time.time(), ingestion.numbers()
        while time.time() - ingestion.began < seconds:
            time.sleep(1)
            memory.append((time.time(), resident_mib(ingestion.worker.pid)))
            parts = max(parts, site.door.select(PARTS, {})[0]["parts"])
        last, ended = ingestion.numbers(), time.time()
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    took = ended - started
    grown = {name: last[name] - first.get(name, 0) for name in last}
    settled = memory[int(len(memory) * WARM_UP_SHARE) :]
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope
    return {
        "c. unique events/s": round(grown["ingestion_events_written_total"] / took),
        "c. copies/s": round(grown["ingestion_duplicates_total"] / took),
        "c. seconds": round(took),
        "c. inserts/s": round(grown["ingestion_batch_size_count"] / took, 2),
        "c. most active parts of a partition": parts,
        "c. CPU share": {name: round(cpu / took, 2) for name, cpu in used.items()},
        "e. worker MiB, first/last/max": [
            round(memory[0][1]),
            round(memory[-1][1]),
            round(max(size for _, size in memory)),
        ],
        "e. worker MiB/minute after a quarter of the time": round(60 * slope, 2),
    }


# --- Freshness ------------------------------------------------------------------------------------


def marked(directory: Path) -> tuple[Path, list[tuple[int, Event]]]:
    """Events with a reaction to a video of its own at every MARKER_EVERY-th place."""
    total = FRESHNESS_RATE * FRESHNESS_SECONDS
    start = int(time.time()) - 600
    crowd = Crowd("freshness")
    videos = [crowd.video(start) for _ in range(total // MARKER_EVERY - 4)]
    markers: list[tuple[int, Event]] = []
    signed: list[Signed] = list(videos)
    # Its own crowd: nobody else reacts to the marked videos.
    others = Crowd("others")
    while len(signed) < total:
        if len(signed) % MARKER_EVERY == 0 and len(signed) >= 2_000 and len(markers) < len(videos):
            video = videos[len(markers)].event
            markers.append((len(signed), video))
            signed.append(crowd.reaction(video, len(markers) % PEOPLE, start + len(signed) // 1000))
        else:
            signed.append(others.next(start + len(signed) // 1_000))
    file = directory / "freshness.jsonl"
    file.write_bytes(b"\n".join(one.json for one in signed))
    return file, markers


def freshness(site: Site) -> dict[str, Any]:
    file, markers = marked(site.directory)
    times = site.directory / "times.json"
    site.empty()
    port = free_port()
    projector = site.run("manage.py", "project_read_model")
    api = site.run(
        "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--config", "gunicorn.conf.py",
        "funnel.wsgi:application",
        # A kept answer would be up to CACHE_FRESH_SECONDS older than what it tells.
        CACHE_MEMORY_MB="0",
    )  # fmt: skip
    seen: dict[int, float] = {}
    ending = threading.Event()

    def watch() -> None:
        """Asks for the oldest reaction that is not in an answer yet, and not all the time: each
        question is work for the machine on which all this runs."""
        for place, video in markers:
            while not ending.is_set():
                if reactions(port, video.id):
                    seen[place] = time.time()
                    break
                ending.wait(POLL_SECONDS)

    try:
        wait_for(port)
        with site.flooding(file, f"--rate={FRESHNESS_RATE}", f"--times={times}"):
            watching = threading.Thread(target=watch)
            watching.start()
            watching.join(FRESHNESS_SECONDS + 30)
            ending.set()
            watching.join()
    finally:
        for process in (projector, api):
            process.terminate()
            process.wait(30)
    sent = orjson.loads(times.read_bytes())
    waited = sorted(seen[place] - sent[place] for place in seen)
    ranks = statistics.quantiles(waited, n=20)
    return {
        "d. reactions sent/seen": [len(markers), len(seen)],
        "d. seconds p50/p95/max": [
            round(statistics.median(waited), 3),
            round(ranks[-1], 3),
            round(waited[-1], 3),
        ],
    }


def wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return
        time.sleep(0.1)
    raise AssertionError("the API does not answer")


def reactions(port: int, event_id: str) -> int:
    try:
        page = urlopen(f"http://127.0.0.1:{port}/api/videos/{event_id}/stats", timeout=10)
    except URLError:
        return 0  # not known yet
    with page:
        count: int = orjson.loads(page.read())["reactions"]
        return count


# --- The whole ------------------------------------------------------------------------------------


def spread(values: list[float], digits: int = 0) -> list[float]:
    """Minimum, median, maximum."""
    return [
        round(value, digits if value > 10 else max(digits, 2))
        for value in (min(values), statistics.median(values), max(values))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000, help="of each round")
    parser.add_argument("--minutes", type=float, default=1.0, help="of the sustained rate")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

    results: dict[str, Any] = {"load_average": os.getloadavg(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory))
        try:
            file = made(site.directory, options.events)
            results |= in_turns(site, file, options.events, options.rounds)
            report(results)
            results |= freshness(site)
            # Enough for the fastest that was seen so far.
            many = int(results["full.rate"][2] * options.minutes * 60)
            results |= sustained(site, made(site.directory, many), options.minutes * 60)
        finally:
            site.close()
    report(results)
    directory_of_results = Path(__file__).parent / "results"
    directory_of_results.mkdir(exist_ok=True)
    (directory_of_results / "ingest.json").write_text(json.dumps(results, indent=1) + "\n")


def report(results: dict[str, Any]) -> None:
    for name, value in results.items():
        shown = " / ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{name:<50} {shown}", flush=True)
    print()


if __name__ == "__main__":
    main()
