"""The connection to a relay: its end is noticed, and a busy reader is not taken for one."""

from __future__ import annotations

import asyncio

import pytest

from ingestion import relay as relay_module
from ingestion.messages import NoticeMessage, UnreadableFrame
from ingestion.relay import RelayGone, connected
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_sync import run


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(relay_module, "PING_SECONDS", 0.05)
    monkeypatch.setattr(relay_module, "PONG_SECONDS", 0.05)


def test_what_the_relay_says_comes_in_order_and_bad_utf_8_is_one_bad_frame():
    async def scenario() -> None:
        async with FakeRelay().running() as fake, connected(fake.url) as relay:
            await fake.wait_for_connection()
            await fake.say('["NOTICE","one"]', b"\xff\xff", '["NOTICE","two"]')
            messages = relay.messages()

            assert [NoticeMessage("one"), UnreadableFrame(2), NoticeMessage("two")] == [
                await anext(messages) for _ in range(3)
            ]

    run(scenario())


def test_a_relay_that_answers_no_ping_is_gone():
    async def scenario() -> None:
        async with FakeRelay().running() as fake, connected(fake.url) as relay:
            await fake.wait_for_connection()
            fake.stall()

            with pytest.raises(RelayGone):
                await anext(relay.messages())

    run(scenario())


def test_a_quiet_relay_that_answers_pings_is_kept():
    async def scenario() -> None:
        async with FakeRelay().running() as fake, connected(fake.url) as relay:
            await fake.wait_for_connection()
            messages = relay.messages()
            waiting = asyncio.ensure_future(anext(messages))
            await asyncio.sleep(0.4)
            assert not waiting.done()
            await fake.say('["NOTICE","still here"]')

            assert NoticeMessage("still here") == await waiting

    run(scenario())


def test_who_is_busy_with_a_message_keeps_the_connection():
    async def scenario() -> None:
        async with FakeRelay().running() as fake, connected(fake.url) as relay:
            await fake.wait_for_connection()
            await fake.say(*(f'["NOTICE","{n}"]' for n in range(2000)))
            messages = relay.messages()
            await anext(messages)
            fake.stall()
            await asyncio.sleep(0.4)

            assert not relay.is_waiting
            assert [NoticeMessage(str(n)) for n in range(1, 2000)] == [
                await anext(messages) for _ in range(1, 2000)
            ]

    run(scenario())


@pytest.mark.parametrize(
    "url",
    ["ws://127.0.0.1:9", "ws://no-such-host.invalid", "ws://" + "x" * 70 + ".example", "ws://["],
)
def test_a_relay_that_cannot_be_reached_is_gone(url):
    async def scenario() -> None:
        with pytest.raises(RelayGone):
            async with connected(url):
                pass

    run(scenario())


def test_what_is_no_relay_is_gone_too():
    async def not_a_relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(not_a_relay, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(RelayGone):
                async with connected(f"ws://127.0.0.1:{port}"):
                    pass

    run(scenario())
