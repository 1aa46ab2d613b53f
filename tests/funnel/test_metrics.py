"""What the API counts, and `GET /metrics` for Prometheus."""

from __future__ import annotations

import re

import pytest
from prometheus_client import REGISTRY


def test_requests_are_counted_by_view(client):
    client.get("/health/nope")

    response = client.get("/metrics")

    assert 200 == response.status_code
    assert response["Content-Type"].startswith("text/plain")
    assert "no-store" == response["Cache-Control"]
    assert b"django_http_requests_total_by_method_total" in response.content


def test_of_django_prometheus_those_metrics_are_shown_that_tell_views_apart(client):
    page = client.get("/metrics").content.decode()

    assert {
        "django_http_requests_total_by_method_total",
        "django_http_requests_total_by_view_transport_method_total",
        "django_http_responses_total_by_status_view_method_total",
        "django_http_requests_latency_seconds_by_view_method",
        "django_http_exceptions_total_by_type_total",
        "django_http_exceptions_total_by_view_total",
    } == set(re.findall(r"^# TYPE (django_http_\w+?) (?:counter|histogram)$", page, re.M))


def value(name, **labels):
    return REGISTRY.get_sample_value(f"django_http_{name}", labels) or 0


def test_the_metrics_of_django_prometheus_have_its_labels(client):
    def counted():
        return (
            value("requests_total_by_method_total", method="<invalid method>"),
            value(
                "requests_total_by_view_transport_method_total",
                view="metrics",
                transport="https",
                method="<invalid method>",
            ),
            value(
                "responses_total_by_status_view_method_total",
                status="405",
                view="metrics",
                method="<invalid method>",
            ),
            value(
                "requests_latency_seconds_by_view_method_count",
                view="metrics",
                method="<invalid method>",
            ),
        )

    before = counted()

    client.generic("MADEUP", "/metrics", secure=True)

    assert tuple(count + 1 for count in before) == counted()


def test_a_bug_is_counted_by_its_kind_and_its_view(client, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret")

    def counted():
        return (
            value("exceptions_total_by_type_total", type="RuntimeError"),
            value("exceptions_total_by_view_total", view="metrics"),
        )

    monkeypatch.setattr("funnel.metrics.counted", broken)
    client.raise_request_exception = False
    before = counted()

    assert 500 == client.get("/metrics").status_code

    assert tuple(count + 1 for count in before) == counted()


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
