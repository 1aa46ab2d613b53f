"""`GET /health`, and every answer while ClickHouse is away and when it is back."""

from __future__ import annotations

import socket

import pytest

from funnel.clickhouse import connections
from funnel.errors import RETRY_AFTER_SECONDS

QUESTIONS = [
    "/api/videos?sort=recent",
    "/api/videos?sort=popular",
    "/api/videos?sort=trending",
    f"/api/videos/{'ab' * 32}/stats",
    f"/api/users/{'ab' * 32}/videos",
    "/api/search?q=cats",
    "/api/search?tag=cats",
    "/api/stats",
]


@pytest.fixture
def take_clickhouse_away(clickhouse, monkeypatch):
    """Turns the API's door to a port where nobody listens; its return value turns it back."""
    door = connections["reader"]

    def turn_to(port):
        door.close()
        monkeypatch.setitem(door.settings, "port", port)

    with socket.socket() as nobody:
        # Bound, so that nobody else listens there; not listening, so that it refuses.
        nobody.bind(("127.0.0.1", 0))
        here, away = door.settings["port"], nobody.getsockname()[1]

        def take_away():
            turn_to(away)
            return lambda: turn_to(here)

        yield take_away
        turn_to(here)


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_a_service_whose_clickhouse_answers_is_ok(api, clickhouse, path):
    response = api.get(path)

    assert 200 == response.status_code
    assert {"status": "ok"} == response.json()
    assert "no-store" == response["Cache-Control"]
    assert "*" == response["Access-Control-Allow-Origin"]


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_a_service_without_clickhouse_says_so(api, take_clickhouse_away, path):
    take_clickhouse_away()

    response = api.get(path)

    assert 503 == response.status_code
    assert {"status": "unavailable", "error": "ClickHouse does not answer."} == response.json()
    assert "no-store" == response["Cache-Control"]
    assert str(RETRY_AFTER_SECONDS) == response["Retry-After"]


@pytest.mark.parametrize("path", QUESTIONS)
def test_no_question_is_answered_without_clickhouse(api, take_clickhouse_away, path):
    take_clickhouse_away()

    response = api.get(path)

    assert 503 == response.status_code
    assert ["error"] == list(response.json())
    assert "no-store" == response["Cache-Control"]
    assert str(RETRY_AFTER_SECONDS) == response["Retry-After"]


def test_a_wrong_question_is_told_so_without_clickhouse(api, take_clickhouse_away):
    take_clickhouse_away()

    assert 400 == api.get("/api/videos?limit=abc").status_code


def test_the_next_request_after_clickhouse_is_back_is_answered(api, take_clickhouse_away):
    bring_back = take_clickhouse_away()
    assert 503 == api.get("/api/stats").status_code

    bring_back()

    assert 200 == api.get("/api/stats").status_code
    assert 200 == api.get("/health").status_code
