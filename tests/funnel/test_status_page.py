"""A worker's port: numbers, life and readiness."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest

import funnel.clickhouse  # noqa: F401 - so that there are numbers
from funnel.status_page import start_status_page


class Page:
    def __init__(self) -> None:
        self.hung: list[str] = []
        self.obstacles: list[str] = []
        self.server = start_status_page(0, health=lambda: self.hung, ready=lambda: self.obstacles)

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urlopen(f"http://127.0.0.1:{self.server.server_port}{path}", timeout=5) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    try:
        yield page
    finally:
        page.server.shutdown()
        page.server.server_close()


def test_without_an_obstacle_the_worker_is_ready(page):
    assert (200, b'{"status":"ok"}') == page.get("/ready")
    assert (200, b'{"status":"ok"}') == page.get("/health")


def test_what_is_in_the_way_is_said(page):
    page.obstacles = ["wss://relay.example: refused"]

    status, body = page.get("/ready")

    assert 503 == status
    assert ["wss://relay.example: refused"] == orjson.loads(body)["because"]
    assert 200 == page.get("/health")[0]


def test_a_worker_that_hangs_is_not_healthy(page):
    page.hung = ["no sign of life for 20 s"]

    assert 503 == page.get("/health")[0]


def test_the_numbers_are_there_and_nothing_else_is(page):
    status, body = page.get("/metrics")

    assert 200 == status
    assert b"clickhouse_query_duration_seconds" in body
    assert 404 == page.get("/")[0]
