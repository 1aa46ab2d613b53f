"""Every error is `{"error": "<sentence>"}`, is not cached, and shows nothing of ClickHouse.

Each test comes to an error in a different way and then holds it against the shape.
"""

from __future__ import annotations

import json

import pytest
from django.test import Client
from rest_framework.exceptions import ValidationError

from funnel.clickhouse import (
    ClickhouseError,
    ClickhouseOverloaded,
    ClickhouseReadonly,
    ClickhouseRefused,
    ClickhouseTimeout,
    ClickhouseUnavailable,
)
from funnel.errors import RETRY_AFTER_SECONDS, exception_handler, sentence


def assert_the_one_shape(response, status):
    assert status == response.status_code
    assert "application/json" == response["Content-Type"]
    assert "no-store" == response["Cache-Control"]
    body = json.loads(response.content)
    assert ["error"] == list(body)
    assert isinstance(body["error"], str)
    assert body["error"]


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/api",
        "/api/",
        "/api/nope",
        "/api/videos/",
        "/%00",
        "/%ff",
        "/api/videos/%0a/stats",
    ],
)
def test_an_unknown_path_is_a_404(client, path):
    assert_the_one_shape(client.get(path), 404)


def test_an_unknown_path_is_json_under_debug_too(client, settings):
    settings.DEBUG = True

    assert_the_one_shape(client.get("/nope"), 404)


def test_a_refused_host_is_a_400(client):
    assert_the_one_shape(client.get("/api/videos", headers={"host": "evil.example"}), 400)


def test_thousands_of_parameters_are_a_400(client):
    query = "&".join(f"p{number}=1" for number in range(5000))

    assert_the_one_shape(client.get(f"/api/videos?{query}"), 400)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/videos", "/api/stats"])
def test_a_method_that_the_endpoint_has_not_is_a_405_that_names_the_others(client, path):
    response = client.post(path)

    assert_the_one_shape(response, 405)
    assert "GET" in response["Allow"]


def test_the_admin_keeps_its_pages(client):
    assert 302 == client.get("/admin/").status_code


def test_a_bug_is_a_500_without_its_text(client, monkeypatch):
    def fail():
        raise RuntimeError("secret")

    monkeypatch.setattr("funnel.clock.now", fail)

    response = client.get("/api/stats")

    assert_the_one_shape(response, 500)
    assert b"secret" not in response.content


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ClickhouseUnavailable, 503),
        (ClickhouseOverloaded, 503),
        (ClickhouseTimeout, 504),
        (ClickhouseReadonly, 500),
        (ClickhouseRefused, 500),
        (ClickhouseError, 500),
    ],
)
def test_a_failure_of_clickhouse_has_a_status_and_tells_nothing_of_it(failure, status):
    response = exception_handler(failure(4711), {})

    assert response is not None
    assert status == response.status_code
    assert "no-store" == response["Cache-Control"]
    assert ["error"] == list(response.data)
    assert "4711" not in response.data["error"]
    assert (str(RETRY_AFTER_SECONDS) if status == 503 else None) == response.get("Retry-After")


def test_an_exception_that_is_no_answer_is_left_to_django():
    assert exception_handler(RuntimeError("secret"), {}) is None


def test_details_become_one_line_that_names_the_parameters():
    detail = ValidationError(
        {"limit": ["must be small."], "sort": ["must be known."], "non_field_errors": ["Choose."]}
    ).detail

    assert "limit: must be small. sort: must be known. Choose." == sentence(detail)


def test_a_detail_of_a_part_names_what_it_is_a_part_of(api):
    answers = [
        api.post("/api/users/bulk", body, format="json").json()["error"]
        for body in (
            {"pubkeys": ["f" * 64, "nope"]},
            {"from_event": {"kind": 1, "pubkey": "f" * 64}},
            {"from_event": "nope"},
        )
    ]

    assert ["pubkeys.1", "from_event.kind", "from_event"] == [
        answer.partition(":")[0] for answer in answers
    ]
