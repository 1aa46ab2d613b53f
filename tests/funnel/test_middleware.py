"""Request ids, the line per request, and CORS."""

from __future__ import annotations

import logging

import pytest

from funnel.middleware import PageSecurity


@pytest.mark.parametrize("path", ["/nope", "/metrics", "/api/nope"])
def test_a_request_without_an_id_gets_one(client, path):
    first, second = client.get(path), client.get(path)

    assert 32 == len(first["X-Request-ID"])
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_the_callers_request_id_is_kept(client):
    response = client.get("/nope", headers={"X-Request-ID": "trace-1.a_B"})

    assert "trace-1.a_B" == response["X-Request-ID"]


@pytest.mark.parametrize("forged", ["", "a b", "x" * 65, 'a"b', "ä", "a\x00b", "a;b"])
def test_a_request_id_that_could_forge_a_log_line_is_replaced(client, forged):
    response = client.get("/nope", headers={"X-Request-ID": forged})

    assert forged != response["X-Request-ID"]
    assert 32 == len(response["X-Request-ID"])


def test_a_request_is_one_line_with_its_route_and_without_its_query(client, caplog):
    with caplog.at_level(logging.INFO):
        client.get("/metrics?q=private", headers={"X-Request-ID": "trace-1"})

    [line] = [record.msg for record in caplog.records if record.name == "funnel.middleware"]
    assert {
        "event": "request_answered",
        "request_id": "trace-1",
        "method": "GET",
        "route": "metrics",
        "status": 200,
    }.items() <= line.items()
    assert line["ms"] >= 0
    assert "private" not in caplog.text


def test_a_404_is_no_second_line(client, caplog):
    with caplog.at_level(logging.INFO):
        client.get("/nope/private")

    assert ["funnel.middleware"] == [record.name for record in caplog.records]
    assert "private" not in caplog.text


@pytest.mark.parametrize("path", ["/api/nope", "/api/videos?limit=abc"])
def test_a_page_of_any_origin_may_read_answers_and_errors(client, path):
    response = client.get(path, headers={"Origin": "https://app.example"})

    assert "*" == response["Access-Control-Allow-Origin"]
    assert {"X-Total-Count", "Retry-After"} <= set(
        response["Access-Control-Expose-Headers"].split(", ")
    )
    assert "Origin" not in response.get("Vary", "")


def test_a_preflight_is_answered_without_asking_the_view(client):
    response = client.options(
        "/api/videos",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-divine-platform",
        },
    )

    assert 204 == response.status_code
    assert b"" == response.content
    assert "*" == response["Access-Control-Allow-Origin"]
    assert {"GET", "HEAD", "POST", "OPTIONS"} == set(
        response["Access-Control-Allow-Methods"].split(", ")
    )
    assert {"Accept", "Authorization", "Content-Type", "X-Divine-Platform"} <= set(
        response["Access-Control-Allow-Headers"].split(", ")
    )


@pytest.mark.parametrize("path", ["/metrics", "/admin/"])
def test_the_operators_pages_stay_closed_to_other_origins(client, path):
    response = client.get(path, headers={"Origin": "https://app.example"})

    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("length", ["262145", "9" * 30, "0" * 30 + "262145", "-1", "1e3"])
def test_a_body_that_is_too_large_is_a_413_before_anybody_reads_it(client, length):
    response = client.post(
        "/api/users/bulk", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    assert 413 == response.status_code
    assert ["error"] == list(response.json())
    assert "no-store" == response["Cache-Control"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"event_ids": ["\\ud800"]}',
        b'{"event_ids": [NaN]}',
        b"\xff",
        b"null",
        b"7",
        b'{"event_ids": {"a": 1}}',
        b'{"event_ids": [null, 7, {}, []]}',
        b'{"pubkeys": ["nsec1"], "event_ids": [""]}',
    ],
)
@pytest.mark.parametrize("path", ["/api/videos/bulk", "/api/videos/stats/bulk", "/api/users/bulk"])
def test_a_body_that_is_something_else_is_a_400(client, path, body):
    response = client.post(path, body, content_type="application/json")

    assert 400 == response.status_code
    assert ["error"] == list(response.json())


def test_a_page_runs_nothing_from_elsewhere_and_is_framed_by_nobody(client):
    page = client.get("/admin/login/")

    assert page["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "DENY" == page["X-Frame-Options"]
    assert "same-origin" == page["Referrer-Policy"] == page["Cross-Origin-Opener-Policy"]
    assert "nosniff" == page["X-Content-Type-Options"]


def test_what_is_no_page_says_nothing_of_frames_and_windows(client):
    answer = client.get("/health")

    assert not PageSecurity.HEADERS.keys() & answer.headers.keys()
    assert "nosniff" == answer["X-Content-Type-Options"]


@pytest.mark.parametrize("path", ["/api/nope", "/api/videos?limit=abc", "/metrics"])
def test_no_browser_guesses_what_an_answer_is(client, path):
    assert "nosniff" == client.get(path)["X-Content-Type-Options"]
