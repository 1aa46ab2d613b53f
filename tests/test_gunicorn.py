"""The API as gunicorn serves it: several processes, raw requests, one page of metrics."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from django.conf import settings

from tests.gunicorn_service import get, serving, total
from tests.ports import free_port

REQUESTS = 24


@pytest.fixture(scope="module")
def service(migrated_clickhouse, tmp_path_factory):
    """The address of a gunicorn with two workers, and where its log is.

    Nobody has told it where the workers put their numbers together.
    """
    directory = tmp_path_factory.mktemp("gunicorn")
    with serving(directory, PROMETHEUS_MULTIPROC_DIR="", TMPDIR=str(directory)) as address:
        [numbers] = directory.glob("funnel-metrics-*")
        yield address
    assert not numbers.exists()


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


def test_no_secret_is_in_the_log(migrated_clickhouse, tmp_path):
    secrets = {
        "SECRET_KEY": "key-of-sessions",
        "API_TOKEN": "token-of-yesterday,token-of-today",
        # Nobody listens there, so that every word about it is said.
        "CACHE_URL": f"redis://user:password-of-redis@127.0.0.1:{free_port()}/0",
        "CACHE_MEMORY_MB": "8",
    }
    targets = ["/api/stats", "/api/videos?sort=trending", "/metrics", "/admin/login/"]

    with serving(tmp_path, **secrets, LOG_LEVEL="DEBUG") as (port, log):
        for target in targets:
            for token in ("token-of-yesterday", "token-of-today", "token-that-is-wrong"):
                get(port, target, headers={"Authorization": f"Bearer {token}"})
        said = log.read_text()

    assert "request_answered" in said
    hidden = ["of-sessions", "token-of", "token-that", "of-redis"]
    hidden.append(f":{settings.CLICKHOUSE['reader']['password']}@")
    assert [] == [secret for secret in hidden if secret in said]


def test_a_full_garbage_collection_leaves_the_application_out(migrated_clickhouse, tmp_path):
    with serving(tmp_path, "tests.gunicorn_service:frozen") as (port, _):
        assert int(get(port, "/")[2]) > 10_000
