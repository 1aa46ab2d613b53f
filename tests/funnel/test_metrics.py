"""What the API counts, and `GET /metrics` for Prometheus."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY


def test_requests_are_counted_by_view(client):
    client.get("/health/nope")

    response = client.get("/metrics")

    assert 200 == response.status_code
    assert response["Content-Type"].startswith("text/plain")
    assert "no-store" == response["Cache-Control"]
    assert b"django_http_requests_total_by_method_total" in response.content


def test_a_scraper_that_accepts_only_text_gets_it(client):
    assert 200 == client.get("/metrics", headers={"Accept": "text/plain"}).status_code


def requests(endpoint, status):
    labels = {"endpoint": endpoint, "status": str(status)}
    return REGISTRY.get_sample_value("api_requests_total", labels) or 0


@pytest.mark.parametrize(
    ("path", "endpoint", "status"),
    [
        ("/metrics", "metrics", 200),
        ("/api/videos?limit=abc", "videos", 400),
        (f"/api/users/{'f' * 64}/videos?limit=abc", "author-videos", 400),
        ("/admin/", "admin", 302),
        ("/admin/login/", "admin", 200),
        # Whatever anybody types, the label is one.
        ("/nope/1", "unknown", 404),
        ("/nope/2", "unknown", 404),
    ],
)
@pytest.mark.django_db
def test_a_request_counts_under_the_name_of_its_route(client, path, endpoint, status):
    before = requests(endpoint, status)

    client.get(path)

    assert before + 1 == requests(endpoint, status)


def test_a_request_that_is_refused_at_the_door_counts_under_its_route_too(client, settings):
    settings.RATE_LIMIT_BULK = 1
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 9
    settings.API_TOKENS = ["of the tests"]

    def statuses(path, **extra):
        before = {status: requests("videos-bulk", status) for status in (204, 401, 413, 429)}
        answer = client.post(path, **extra) if extra else client.options(path)
        assert before[answer.status_code] + 1 == requests("videos-bulk", answer.status_code)
        return answer.status_code

    body = {"data": b"{}", "content_type": "application/json"}
    assert 204 == statuses("/api/videos/bulk")
    assert 401 == statuses("/api/videos/bulk", **body)
    assert 429 == statuses("/api/videos/bulk", **body)
    settings.RATE_LIMIT_BULK = 0
    assert 413 == statuses("/api/videos/bulk", **body | {"data": b" " * 10})


def test_a_question_is_timed_by_the_route_that_asked_it(client, clickhouse):
    def asked():
        labels = {"endpoint": "health", "query": "funnel.ping"}
        return REGISTRY.get_sample_value("api_clickhouse_query_duration_seconds_count", labels) or 0

    before = asked()

    client.get("/health")

    assert before + 1 == asked()
