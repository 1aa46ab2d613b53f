"""A real gunicorn for the tests: several workers, the tests' ClickHouse."""

from __future__ import annotations

import contextlib
import gc
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from pathlib import Path

from django.conf import settings

from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 30


def frozen(environ: object, start_response: Callable[..., object]) -> list[bytes]:
    """A WSGI application that says how many objects garbage collection leaves out."""
    start_response("200 OK", [])
    return [str(gc.get_freeze_count()).encode()]


@contextlib.contextmanager
def serving(directory: Path, *application: str, **environment: str) -> Iterator[tuple[int, Path]]:
    """The port of a gunicorn with two workers, and where its log is; `environment` is added.

    application: another one than Funnel, which still has to answer /health.
    """
    reader = settings.CLICKHOUSE["reader"]
    port = free_port()
    whole = (
        {name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")}
        | {
            "DJANGO_SETTINGS_MODULE": "funnel.settings",
            "SECRET_KEY": "tests",
            "LOG_JSON": "true",
            "DATABASE_URL": "sqlite://:memory:",
            "CLICKHOUSE_URL": (
                f"clickhouse://{reader['host']}:{reader['port']}/{reader['database']}"
            ),
            "CLICKHOUSE_USER": str(reader["user"]),
            "CLICKHOUSE_PASSWORD": str(reader["password"]),
            "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics"),
            "WEB_CONCURRENCY": "2",
        }
        | environment
    )
    log = directory / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *application],
            cwd=REPOSITORY,
            env=whole,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                if get(port, "/health")[0] == 200:
                    break
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.1)
        yield port, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def get(
    port: int, target: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, HTTPMessage, bytes]:
    """Status, headers and body; a new connection each time, so that every worker gets some."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def total(page: bytes, metric: str) -> float:
    """The sum of the samples on a page of metrics that begin with `metric`."""
    lines = page.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))
