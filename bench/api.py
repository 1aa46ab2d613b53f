"""What the API adds to its questions, and what an answer costs that is kept.

    python -m bench.api [--count N] [--rounds N] [--requests N] [--seconds N]

Fills an embedded server with made-up events, and then, in turns: the statements of an endpoint by
the driver alone and the endpoint by HTTP, nothing kept, with one and with eight clients; and a kept
answer, its 304 and a bare Django view of as many bytes on the same server, by wrk (Debian: apt-get
install wrk). All share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.client
import itertools
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.test import Client

from bench.processes import children, cpu_seconds
from funnel import clickhouse
from funnel.clickhouse import Clickhouse
from funnel.sql import Query, parse_query
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer
from tests.ports import free_port

DATABASE = "bench_api"
CLIENTS = (1, 8)
# So many requests of each client before the other side's turn.
TURN = 5
KEPT_TARGET = "/api/videos?sort=recent&limit=50"
START_SECONDS = 60

A_VIDEO = parse_query(
    "bench.a_video",
    """-- The video that got the most, and its author.
    SELECT id, pubkey, hashtags[1] AS hashtag
    FROM video_stats FINAL
    WHERE live AND notEmpty(hashtags)
    ORDER BY reactions DESC, id
    LIMIT 1
    """,
)

Statement = tuple[Query, Mapping[str, Any]]


def targets(video: Mapping[str, Any]) -> dict[str, str]:
    return {
        "recent": "/api/videos?sort=recent&limit=50",
        "trending": "/api/videos?sort=trending&limit=50",
        "popular, 12 rows": "/api/videos?sort=popular&limit=12",
        "hashtag": f"/api/videos?sort=recent&tag={video['hashtag']}&limit=50",
        "author": f"/api/users/{video['pubkey']}/videos?limit=50",
        "stats": f"/api/videos/{video['id']}/stats",
        "search": f"/api/search?q={video['hashtag']}&limit=50",
        "hashtags": "/api/hashtags?limit=50",
        "person": f"/api/users/{video['pubkey']}",
        "site": "/api/stats",
    }


def statements_of(target: str) -> list[Statement]:
    """What an endpoint asks ClickHouse for one answer."""
    asked: list[Statement] = []
    select = Clickhouse.select

    def noting(door: Clickhouse, query: Query, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked.append((query, params))
        return select(door, query, params)

    Clickhouse.select = noting  # type: ignore[method-assign]
    try:
        response = Client(headers={"host": "127.0.0.1"}).get(target)
    finally:
        Clickhouse.select = select  # type: ignore[method-assign]
    assert response.status_code == 200, (target, response.content[:200])
    return asked


# --- Latency -------------------------------------------------------------------------------------


def driver_client(statements: list[Statement]) -> Callable[[], None]:
    door = Clickhouse(settings.CLICKHOUSE["reader"])

    def ask() -> None:
        for query, params in statements:
            door.select(query, params)

    return ask


def http_client(port: int, target: str) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask() -> None:
        connection.request("GET", target)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body[:200]

    return ask


def latencies(
    *sides: Callable[[], Callable[[], None]], clients: int, requests: int
) -> list[list[float]]:
    """Milliseconds of each request to each side; each client has connections of its own, opened
    before.

    All clients ask one side TURN times and then the other, so that what else the machine does meets
    both.
    """
    taken: list[list[float]] = [[] for _ in sides]
    start = threading.Barrier(clients)

    def run() -> None:
        asks = [make() for make in sides]
        for ask in asks:
            ask()
        for _ in range(max(1, requests // clients // TURN)):
            for ask, into in zip(asks, taken, strict=True):
                start.wait()
                for _ in range(TURN):
                    began = time.perf_counter()
                    ask()
                    into.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: list[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 3),
        "median": round(statistics.median(values), 3),
        "max": round(max(values), 3),
    }


def latency(
    site: Gunicorn, all_targets: dict[str, str], *, rounds: int, requests: int
) -> dict[str, Any]:
    port = site.port
    asked = {name: statements_of(target) for name, target in all_targets.items()}
    # Every thread of the API opens its connection to ClickHouse with its first question.
    for target in all_targets.values():
        latencies(
            functools.partial(http_client, port, target),
            clients=2 * max(CLIENTS),
            requests=4 * max(CLIENTS),
        )
    found: dict[str, list[tuple[list[float], list[float]]]] = {}
    spent: dict[str, float] = {}
    for _ in range(rounds):
        for name, target in all_targets.items():
            for clients in CLIENTS:
                before = site.processor_seconds()
                bare, api = latencies(
                    functools.partial(driver_client, asked[name]),
                    functools.partial(http_client, port, target),
                    clients=clients,
                    requests=requests,
                )
                of = f"{name}, {clients} clients"
                found.setdefault(of, []).append((bare, api))
                spent[of] = spent.get(of, 0) + site.processor_seconds() - before
    return {name: compared(pairs, spent[name]) for name, pairs in found.items()}


def compared(rounds: list[tuple[list[float], list[float]]], spent: float) -> dict[str, Any]:
    """Of the requests of each round, without and with the API, in milliseconds.

    spent: gunicorn's seconds of processor time for them.
    A round has too few requests for a hundredth of them to say anything: the 99th percentiles are
    those of all rounds together.
    """
    bare, api = zip(*rounds, strict=True)
    bare_p50, api_p50 = ([percentile(taken, 0.5) for taken in side] for side in (bare, api))
    bare_p99, api_p99 = (percentile(list(itertools.chain(*side)), 0.99) for side in (bare, api))
    return {
        "requests": sum(map(len, api)),
        "sql_p50_ms": spread(bare_p50),
        "api_p50_ms": spread(api_p50),
        "p50_ratio": spread([mine / sql for sql, mine in zip(bare_p50, api_p50, strict=True)]),
        "sql_p99_ms": round(bare_p99, 1),
        "api_p99_ms": round(api_p99, 1),
        "p99_added_ms": round(api_p99 - bare_p99, 1),
        "gunicorn_ms": round(1000 * spent / sum(map(len, api)), 2),
    }


# --- Kept answers --------------------------------------------------------------------------------


def requests_per_second(url: str, *, seconds: int, header: str = "") -> float:
    command = ["wrk", "--threads=1", "--connections=8", f"--duration={seconds}s"]
    said = subprocess.run(
        [*command, *(["--header", header] if header else []), url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate, said
    return float(rate[1])


def kept(ports: dict[str, int], tag: str, *, rounds: int, seconds: int) -> dict[str, Any]:
    address = f"http://127.0.0.1:{ports['kept']}{KEPT_TARGET}"
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, url, header in (
            ("bare_view", f"http://127.0.0.1:{ports['bare']}/bare", ""),
            ("kept", address, ""),
            ("not_modified", address, f"If-None-Match: {tag}"),
        ):
            rates.setdefault(name, []).append(
                requests_per_second(url, seconds=seconds, header=header)
            )
    pairs = zip(rates["kept"], rates["not_modified"], rates["bare_view"], strict=True)
    ratios = [(answer / bare, unchanged / bare) for answer, unchanged, bare in pairs]
    return {
        **{f"{name}_per_second": spread(values) for name, values in rates.items()},
        "kept_to_bare": spread([ratio for ratio, _ in ratios]),
        "not_modified_to_bare": spread([ratio for _, ratio in ratios]),
    }


# --- Processes -----------------------------------------------------------------------------------


def filled(server: LocalServer, database: str, events: int) -> dict[str, str]:
    """Makes up so many events in an empty database; the environment of an API that has them."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "bench",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": "sqlite://:memory:",
        "CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{server.port}",
        "CLICKHOUSE_USER": "default",
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "CLICKHOUSE_DATABASE": database,
        "RATE_LIMIT": "0",
    }
    subprocess.run(
        [sys.executable, "manage.py", "generate_events", "--count", str(events)],
        cwd=REPOSITORY,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return environment


class Gunicorn(NamedTuple):
    port: int
    pid: int

    def processor_seconds(self) -> float:
        return sum(map(cpu_seconds, (self.pid, *children(self.pid))))


@contextlib.contextmanager
def gunicorn(directory: Path, environment: dict[str, str], *application: str) -> Iterator[Gunicorn]:
    port = free_port()
    metrics = directory / f"metrics-{port}"
    with (directory / f"gunicorn-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *application],
            cwd=REPOSITORY,
            env=environment | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                probe = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                probe.request("GET", "/bare" if application else "/health")
                if probe.getresponse().status == 200:
                    break
            assert process.poll() is None, "gunicorn ended"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        yield Gunicorn(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def first_answer(port: int) -> tuple[str, int]:
    """The tag and the size of the answer that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", KEPT_TARGET)
    response = connection.getresponse()
    return response.headers["ETag"], len(response.read())


def measure(server: LocalServer, directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    reached = server.migrate(DATABASE)
    began = time.monotonic()
    environment = filled(server, DATABASE, options.count)
    filling = time.monotonic() - began
    settings.CLICKHOUSE["reader"].update(reached, readonly=True)
    [video] = clickhouse.connections["reader"].select(A_VIDEO, {})

    with gunicorn(directory, environment | {"CACHE_MEMORY_MB": "0"}) as site:
        uncached = latency(site, targets(video), rounds=options.rounds, requests=options.requests)
    keeping = {"CACHE_FRESH_SECONDS": "3600", "CACHE_LIST_SECONDS": "3600"}
    with gunicorn(directory, environment | keeping) as site:
        tag, size = first_answer(site.port)
        bare = environment | {
            "DJANGO_SETTINGS_MODULE": "bench.bare_site",
            "BARE_BYTES": str(size),
        }
        with gunicorn(directory, bare, "django.core.wsgi:get_wsgi_application()") as bare_site:
            cached = kept(
                {"kept": site.port, "bare": bare_site.port},
                tag,
                rounds=options.rounds,
                seconds=options.seconds,
            )
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "events": options.count,
        "filling_seconds": round(filling, 1),
        "answer_bytes": size,
        "uncached": uncached,
        "kept": cached,
    }


def table(result: dict[str, Any]) -> str:
    lines = [
        f"{'uncached, ms':<30}{'SQL p50':>9}{'API p50':>9}{'ratio':>7}"
        f"{'SQL p99':>9}{'API p99':>9}{'p99 added':>11}{'gunicorn':>10}"
    ]
    for name, row in result["uncached"].items():
        sql, api = row["sql_p50_ms"]["median"], row["api_p50_ms"]["median"]
        ratio = row["p50_ratio"]["median"]
        lines.append(
            f"{name:<30}{sql:>9.1f}{api:>9.1f}{ratio:>7.2f}"
            f"{row['sql_p99_ms']:>9.1f}{row['api_p99_ms']:>9.1f}{row['p99_added_ms']:>11.1f}"
            f"{row['gunicorn_ms']:>10.2f}"
        )
    lines.append("")
    for name, row in result["kept"].items():
        lines.append(f"{name:<30}{row['min']:>12.2f}{row['median']:>12.2f}{row['max']:>12.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="events")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=80, help="of each endpoint in each round")
    parser.add_argument("--seconds", type=int, default=4, help="of each run of wrk")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench.api needs wrk.")
    with tempfile.TemporaryDirectory(prefix="bench_api_") as name:
        directory = Path(name)
        server = LocalServer(directory)
        server.start()
        try:
            result = measure(server, directory, options)
        finally:
            server.stop()
    print(table(result))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "api.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
