"""What gunicorn's workers and threads give: requests per second, and per second of processor time.

    python -m bench.gunicorn_settings [--count N] [--rounds N] [--seconds N]

Fills an embedded server with made-up events and asks one list with 16 clients (wrk; Debian: apt-get
install wrk), by settings in turns: kept, and computed for every request. The requests per second of
processor time of gunicorn alone hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.api import Gunicorn, filled, gunicorn, spread
from tests.clickhouse_server import LocalServer

DATABASE = "bench_gunicorn"
TARGET = "/api/videos?sort=recent&limit=50"
CONNECTIONS = 16
# Class, workers, threads of each. The first line is gunicorn.conf.py's.
SETTINGS = (
    ("gthread", 2, 4),
    ("gthread", 1, 4),
    ("gthread", 1, 8),
    ("gthread", 2, 2),
    ("gthread", 2, 8),
    ("gthread", 4, 4),
    ("sync", 2, 1),
    ("sync", 4, 1),
)
# One answer for an hour, and none for anybody.
LOADS = {
    "kept": {"CACHE_FRESH_SECONDS": "3600", "CACHE_LIST_SECONDS": "3600"},
    "computed": {"CACHE_MEMORY_MB": "0"},
}


def asked(site: Gunicorn, seconds: int) -> dict[str, float]:
    command = ["wrk", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s"]
    command += ["--timeout=30s", "--latency", f"http://127.0.0.1:{site.port}{TARGET}"]
    before = site.processor_seconds()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    taken = site.processor_seconds() - before
    assert "Non-2xx" not in said, said
    requests = re.search(r"(\d+) requests in", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert requests, said
    assert rate, said
    assert late, said
    if not int(requests[1]):
        raise SystemExit("Nothing was answered in so few --seconds.")
    return {
        "per_second": float(rate[1]),
        "per_processor_second": int(requests[1]) / taken,
        "p99_ms": float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]],
    }


def measure(server: LocalServer, directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    server.migrate(DATABASE)
    environment = filled(server, DATABASE, options.count)
    found: dict[str, dict[str, dict[str, list[float]]]] = {load: {} for load in LOADS}
    for _ in range(options.rounds):
        for kind, workers, threads in SETTINGS:
            arguments = f"--worker-class {kind} --workers {workers} --threads {threads}"
            for load, keeping in LOADS.items():
                own = environment | keeping | {"GUNICORN_CMD_ARGS": arguments}
                with gunicorn(directory, own) as site:
                    # Every worker and thread has its connection and its answer before it counts.
                    asked(site, 1)
                    row = found[load].setdefault(f"{kind} {workers} x {threads}", {})
                    for name, value in asked(site, options.seconds).items():
                        row.setdefault(name, []).append(value)
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "events": options.count,
        "connections": CONNECTIONS,
        **{
            load: {
                name: {key: spread(values) for key, values in row.items()}
                for name, row in rows.items()
            }
            for load, rows in found.items()
        },
    }


def table(result: dict[str, Any]) -> str:
    lines = []
    for load in LOADS:
        lines.append(f"{load:<16}{'per second':>12}{'per CPU second':>16}{'p99 ms':>9}")
        for name, row in result[load].items():
            rate, share, late = (row[key]["median"] for key in row)
            lines.append(f"{name:<16}{rate:>12.0f}{share:>16.0f}{late:>9.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="events")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each run of wrk")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("bench.gunicorn_settings needs wrk.")
    with tempfile.TemporaryDirectory(prefix="bench_gunicorn_") as name:
        server = LocalServer(Path(name))
        server.start()
        try:
            result = measure(server, Path(name), options)
        finally:
            server.stop()
    print(table(result))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "gunicorn.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
