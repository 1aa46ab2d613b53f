"""The API as gunicorn serves it: several processes, raw requests, one page of metrics."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 30
REQUESTS = 24


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def service(migrated_clickhouse, tmp_path_factory):
    """The address of a gunicorn with two workers, and where its log is."""
    directory = tmp_path_factory.mktemp("gunicorn")
    reader = settings.CLICKHOUSE["reader"]
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")
    } | {
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "tests",
        "LOG_JSON": "true",
        "DATABASE_URL": "sqlite://:memory:",
        "CLICKHOUSE_URL": f"clickhouse://{reader['host']}:{reader['port']}/{reader['database']}",
        "CLICKHOUSE_USER": str(reader["user"]),
        "CLICKHOUSE_PASSWORD": str(reader["password"]),
        "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics"),
        "WEB_CONCURRENCY": "2",
    }
    log = directory / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"],
            cwd=REPOSITORY,
            env=environment,
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


def get(port, target, method="GET", headers=None):
    """Status, headers and body; a new connection each time, so that every worker gets some."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def total(page, metric):
    lines = page.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))


def test_metrics_are_those_of_all_workers(service):
    port, _ = service
    metric = 'api_requests_total{endpoint="totals",status="200"}'
    before = total(get(port, "/metrics")[2], metric)

    for _ in range(REQUESTS):
        assert 200 == get(port, "/api/stats")[0]

    # Several readings, because each comes from one worker or the other.
    assert {before + REQUESTS} == {total(get(port, "/metrics")[2], metric) for _ in range(8)}


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/api/videos/{'a' * 10_240}/stats", 404),
        (f"/api/search?q={quote('猫' * 3_400)}", 200),
        ("/api/videos/%00/stats", 400),
        ("/api/videos/%ff/stats", 404),
        ("/api/videos/34236%3Aa%3Ahttps%3A%2F%2Fx/stats", 404),
        ("/api/search?q=%ff%fe", 200),
        ("/api/search?q=%00", 400),
        ("/nope", 404),
        ("/%ff", 404),
        ("//", 404),
    ],
)
def test_a_raw_target_is_answered_in_json(service, target, status):
    port, _ = service

    actual, headers, body = get(port, target)

    assert status == actual
    assert "application/json" == headers["Content-Type"]
    json.loads(body)


def test_a_refused_host_is_told_in_json(service):
    port, _ = service

    status, _, body = get(port, "/api/stats", headers={"Host": "evil.example"})

    assert 400 == status
    assert ["error"] == list(json.loads(body))


def test_head_has_the_headers_of_get_and_no_body(service):
    port, _ = service

    status, headers, body = get(port, "/api/stats", method="HEAD")

    assert 200 == status
    assert b"" == body
    assert str(len(get(port, "/api/stats")[2])) == headers["Content-Length"]


def test_a_request_is_one_line_of_json_in_the_log(service):
    port, log = service

    get(port, "/api/search?q=private", headers={"X-Request-ID": "trace-of-one-line"})

    lines = [line for line in log.read_text().splitlines() if "trace-of-one-line" in line]
    assert 1 == len(lines)
    assert {
        "event": "request_answered",
        "route": "api/search",
        "status": 200,
    }.items() <= json.loads(lines[0]).items()
    assert "private" not in log.read_text()
