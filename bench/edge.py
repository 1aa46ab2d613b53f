"""How fast nginx answers from what it has kept, against nginx with a file of the same size.

    python -m bench.edge [--rounds N] [--seconds S] [--urls N] [--events N] [--connections N]

In turns, each for S seconds: a file; one feed from the cache, plain, packed and as 304; and, after
every URL has been asked once, N URLs with a Zipf skew. Then what clients wait while answers expire
each second, against those whose answers do not. wrk makes the load, on the same machine.

Needs nginx and wrk (Debian: apt-get install nginx-light wrk).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import logging
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import structlog  # noqa: E402

from bench.processes import children, cpu_seconds  # noqa: E402
from clickhouse_schema.generated import Generated  # noqa: E402
from clickhouse_schema.projector import Projector  # noqa: E402
from clickhouse_schema.rebuild import Rebuild  # noqa: E402
from funnel.clickhouse import Clickhouse  # noqa: E402
from ingestion.demo.edge import Edge, nginx  # noqa: E402
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer  # noqa: E402
from tests.ports import free_port  # noqa: E402

DATABASE = "bench"
START_SECONDS = 60
# Long enough that nothing expires while it is measured, where it is to be measured without that.
LASTING_SECONDS = 3600
HOT = "/api/videos?sort=recent&limit=5"
ZIPF_EXPONENT = 1.0
ZIPF_REQUESTS = 200_000
SORTS = ("recent", "popular", "trending", "loops")

ZIPF_SCRIPT = """
local paths, order, at = {}, {}, 0
init = function()
    for line in io.lines("%(paths)s") do paths[#paths + 1] = wrk.format("GET", line) end
    for line in io.lines("%(order)s") do order[#order + 1] = tonumber(line) end
end
request = function() at = at %% #order + 1; return paths[order[at]] end
"""
FILE_SERVER = """
%(user)s
worker_processes auto; pcre_jit on; pid %(directory)s/nginx.pid; error_log stderr alert; daemon off;
events { worker_connections 8192; }
http {
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
    open_file_cache max=20000 inactive=60s; types { application/json json; }
    server { listen 127.0.0.1:%(port)d backlog=4096; root %(directory)s; }
}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of wrk. p99_ms: of the time from request to answer. cores: what each used of a core.

    errors: answers of another kind than 200 and 304, and connections that failed.
    """

    per_second: float
    p99_ms: float
    wrk_cores: float
    nginx_cores: float
    nginx_us_per_request: float
    errors: int


def load(
    url: str, *, nginx_pid: int, seconds: int, connections: int, more: tuple[str, ...] = ()
) -> Load:
    workers = [nginx_pid, *children(nginx_pid)]
    before = sum(map(cpu_seconds, workers))
    started = time.monotonic()
    wrk = subprocess.Popen(
        [
            "wrk",
            "--threads=1",
            f"--connections={connections}",
            f"--duration={seconds}s",
            "--latency",
            *more,
            url,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert wrk.stdout is not None
    said = wrk.stdout.read()
    # Of this child alone.
    _, status, used = os.wait4(wrk.pid, 0)
    wrk.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - started
    nginx_seconds = sum(map(cpu_seconds, workers)) - before
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert wrk.returncode == 0, said
    assert found, said
    assert p99, said
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    socket_errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said
    )
    per_second = float(found[1])
    return Load(
        per_second=per_second,
        p99_ms=float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]],
        wrk_cores=round((used.ru_utime + used.ru_stime) / took, 2),
        nginx_cores=round(nginx_seconds / took, 2),
        nginx_us_per_request=round(1e6 * nginx_seconds / (per_second * took), 2),
        errors=int(bad[1] if bad else 0)
        + sum(map(int, socket_errors.groups() if socket_errors else ())),
    )


def fetch(port: int, target: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@contextlib.contextmanager
def running(command: list[str], port: int, directory: Path, **environment: str) -> Iterator[int]:
    """The pid of a server that listens there."""
    log = directory / f"{Path(command[0]).name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=os.environ | environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                fetch(port, "/health")
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True, slots=True)
class Front:
    port: int
    pid: int
    log: Path

    def asked(self) -> int:
        """How many questions have reached Django."""
        text = self.log.read_text()
        return text.count('"route": "api/') + text.count('"route":"api/')


@contextlib.contextmanager
def site(server: LocalServer, directory: Path, *, seconds_kept: int) -> Iterator[Front]:
    """gunicorn with one worker and nginx before it; answers last so many seconds."""
    directory.mkdir()
    api, listen, keeper = free_port(), free_port(), free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "bench",
        "LOG_JSON": "true",
        "LOG_LEVEL": "INFO",
        "DATABASE_URL": "sqlite://:memory:",
        "CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{server.port}/{DATABASE}",
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "CACHE_LIST_SECONDS": str(seconds_kept),
        "CACHE_STATS_SECONDS": str(seconds_kept),
        "WEB_CONCURRENCY": "1",
        "RATE_LIMIT": "0",
    }
    edge = Edge(
        listen=f"127.0.0.1:{listen}",
        keeper=f"127.0.0.1:{keeper}",
        api=f"127.0.0.1:{api}",
        directory=directory / "edge",
    )
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{api}"]
    with (
        running(gunicorn, api, directory, **environment),
        running(edge.command(), listen, directory) as pid,
    ):
        yield Front(listen, pid, directory / f"{Path(sys.executable).name}-{api}.log")


@contextlib.contextmanager
def file_server(directory: Path, body: bytes) -> Iterator[tuple[int, int]]:
    """Port and pid of an nginx that serves /feed.json."""
    directory.mkdir()
    (directory / "feed.json").write_bytes(body)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = directory / "nginx.conf"
    configuration.write_text(FILE_SERVER % {"user": user, "directory": directory, "port": port})
    command = [nginx(), "-e", "stderr", "-c", str(configuration)]
    with running(command, port, directory) as pid:
        yield port, pid


def fill(server: LocalServer, events: int) -> None:
    door = Clickhouse({**server.migrate(DATABASE), "query_seconds": 600})
    now = int(time.time())
    with contextlib.closing(door):
        made = Generated(count=events, seed=1, until=now, days=30)
        made.insert(door, progress=lambda *_: None)
        rebuild = Rebuild(door, Projector(door), progress=lambda *_: None, clock=lambda: now)
        rebuild.rebuild_read_model()


def zipf_script(directory: Path, urls: int) -> tuple[list[str], str]:
    """So many distinct URLs, and a script for wrk that asks the first ones most."""
    places = itertools.product(range(0, 1_000), (5, 4, 3), SORTS)
    paths = [
        f"/api/videos?limit={limit}&offset={offset}&sort={sort}"
        for offset, limit, sort in itertools.islice(places, urls)
    ]
    chance = random.Random(1)
    chance.shuffle(paths)
    weights = [1 / rank**ZIPF_EXPONENT for rank in range(1, urls + 1)]
    order = chance.choices(range(1, urls + 1), weights, k=ZIPF_REQUESTS)
    files = {"paths": directory / "paths.txt", "order": directory / "order.txt"}
    files["paths"].write_text("\n".join(paths) + "\n")
    files["order"].write_text("\n".join(map(str, order)) + "\n")
    script = directory / "zipf.lua"
    script.write_text(ZIPF_SCRIPT % files)
    return paths, str(script)


def spread(values: list[float]) -> list[float]:
    return [round(of, 3) for of in (min(values), statistics.median(values), max(values))]


def measured(options: argparse.Namespace) -> dict[str, Any]:
    rounds: dict[str, list[Load]] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        server = LocalServer(directory)
        server.start()
        stack.callback(server.stop)
        fill(server, options.events)
        lasting = stack.enter_context(
            site(server, directory / "lasting", seconds_kept=LASTING_SECONDS)
        )
        status, headers, body = fetch(lasting.port, HOT)
        assert status == 200, body
        assert len(body) > 1_000, body
        packed = fetch(lasting.port, HOT, **{"Accept-Encoding": "gzip"})[2]
        files = stack.enter_context(file_server(directory / "file", body))
        packed_files = stack.enter_context(file_server(directory / "packed_file", packed))
        paths, script = zipf_script(directory, options.urls)
        with ThreadPoolExecutor(8) as clients:
            statuses = set(clients.map(lambda path: fetch(lasting.port, path)[0], paths))
        assert statuses == {200}, statuses

        hot = f"http://127.0.0.1:{lasting.port}{HOT}"
        file = f"http://127.0.0.1:{files[0]}/feed.json"
        file_tag = fetch(files[0], "/feed.json")[1]["ETag"]
        tag = headers.get("ETag")
        runs: dict[str, tuple[str, int, tuple[str, ...]]] = {
            "file": (file, files[1], ()),
            "feed": (hot, lasting.pid, ()),
            "packed file": (f"http://127.0.0.1:{packed_files[0]}/feed.json", packed_files[1], ()),
            "packed feed": (hot, lasting.pid, ("--header=Accept-Encoding: gzip",)),
            "file 304": (file, files[1], (f"--header=If-None-Match: {file_tag}",)),
            "feed 304": (hot, lasting.pid, (f"--header=If-None-Match: {tag}",)),
            "zipf": (f"http://127.0.0.1:{lasting.port}", lasting.pid, (f"--script={script}",)),
        }
        if tag is None:
            del runs["feed 304"]
        asked = lasting.asked()
        for _ in range(options.rounds):
            for what, (url, pid, more) in runs.items():
                rounds.setdefault(what, []).append(
                    load(
                        url,
                        nginx_pid=pid,
                        seconds=options.seconds,
                        connections=options.connections,
                        more=more,
                    )
                )
        asked = lasting.asked() - asked

        expiring = stack.enter_context(site(server, directory / "expiring", seconds_kept=1))
        before = expiring.asked()
        for _ in range(options.rounds):
            for what, front in (("steady", lasting), ("expiring", expiring)):
                fetch(front.port, HOT)
                rounds.setdefault(what, []).append(
                    load(
                        f"http://127.0.0.1:{front.port}{HOT}",
                        nginx_pid=front.pid,
                        seconds=options.seconds,
                        connections=options.connections,
                    )
                )
        expired = expiring.asked() - before

    def ratio(one: str, other: str, of: str = "per_second") -> list[float]:
        pairs = zip(rounds[one], rounds[other], strict=True)
        return spread([getattr(a, of) / getattr(b, of) for a, b in pairs])

    ratios = {
        "feed / file": ratio("feed", "file"),
        "packed feed / packed file": ratio("packed feed", "packed file"),
        "zipf / file": ratio("zipf", "file"),
        "p99 expiring / steady": ratio("expiring", "steady", "p99_ms"),
    }
    if "feed 304" in rounds:
        ratios |= {
            "feed 304 / file": ratio("feed 304", "file"),
            "feed 304 / file 304": ratio("feed 304", "file 304"),
        }
    return {
        "body_bytes": len(body),
        "packed_bytes": len(packed),
        "urls": options.urls,
        "connections": options.connections,
        "seconds_each": options.seconds,
        "rounds": {what: [asdict(one) for one in all_] for what, all_ in rounds.items()},
        "ratios": ratios,
        "questions_to_django_meanwhile": asked,
        "questions_to_django_while_expiring": expired,
        "seconds_of_expiring": options.rounds * options.seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run of wrk")
    parser.add_argument("--urls", type=int, default=2_000, help="distinct ones, 12,000 at most")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=50)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed: apt-get install wrk")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    result = measured(options)

    print(f"{'':12} | requests/s min/median/max | p99 ms | nginx µs | cores nginx wrk | errors")
    for what, runs in result["rounds"].items():
        rates = "/".join(f"{rate:,.0f}" for rate in spread([run["per_second"] for run in runs]))
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"{what:12} | {rates:>25} | {medians['p99_ms']:>6.1f} |"
            f" {medians['nginx_us_per_request']:>8.1f} | {medians['nginx_cores']:>7.2f}"
            f" {medians['wrk_cores']:.2f} | {sum(run['errors'] for run in runs)}"
        )
    for what, values in result["ratios"].items():
        print(f"{what}: {'/'.join(map(str, values))}")
    print(
        f"{result['body_bytes']:,} bytes, packed {result['packed_bytes']:,}; questions that reached"
        f" Django: {result['questions_to_django_meanwhile']}; while answers expired each second, in"
        f" {result['seconds_of_expiring']} s: {result['questions_to_django_while_expiring']}"
    )
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "edge.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
