"""`GET /metrics` is for Prometheus."""

from __future__ import annotations


def test_requests_are_counted_by_view(client):
    client.get("/health/nope")

    response = client.get("/metrics")

    assert 200 == response.status_code
    assert response["Content-Type"].startswith("text/plain")
    assert "no-store" == response["Cache-Control"]
    assert b"django_http_requests_total_by_method_total" in response.content


def test_a_scraper_that_accepts_only_text_gets_it(client):
    assert 200 == client.get("/metrics", headers={"Accept": "text/plain"}).status_code
