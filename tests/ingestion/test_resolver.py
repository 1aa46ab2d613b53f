"""Addresses by names, and name servers that do not answer."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from ingestion.resolver import SystemResolver
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_sync import run


def test_a_relay_is_reached_by_its_name():
    async def scenario() -> None:
        async with FakeRelay().running() as relay:
            port = int(relay.url.rpartition(":")[2])

            found = await SystemResolver().resolve("localhost", port, socket.AF_INET)

            assert ("127.0.0.1", port) in [(one["host"], one["port"]) for one in found]

    run(scenario())


def test_a_name_that_is_none_is_an_error():
    with pytest.raises(socket.gaierror):
        asyncio.run(SystemResolver().resolve("no-such-name.invalid"))
    with pytest.raises(ValueError, match="label"):
        asyncio.run(SystemResolver().resolve("no..name"))


def test_a_name_server_that_does_not_answer_does_not_hold_up_the_end(monkeypatch):
    answers = threading.Event()

    def wait(*_: object, **__: object) -> list[object]:
        assert answers.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(SystemResolver().resolve("relay.example"), 0.1))

    assert time.monotonic() - began < 30
    [looking_up] = [thread for thread in threading.enumerate() if thread.name == "resolver"]
    assert looking_up.daemon
    answers.set()
    looking_up.join()
