"""The connection to a relay: its end is noticed, and a busy reader is not taken for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from ingestion import relay as relay_module
from ingestion.messages import NoticeMessage, RelayMessage, UnreadableFrame
from ingestion.relay import RelayConnection, RelayGone, connected
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


async def not_a_relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    writer.close()


def test_what_is_no_relay_is_gone_too():
    async def scenario() -> None:
        async with await asyncio.start_server(not_a_relay, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(RelayGone):
                async with connected(f"ws://127.0.0.1:{port}"):
                    pass

    run(scenario())


async def _read_all(relay: RelayConnection) -> None:
    async for _ in relay.messages():
        pass


def test_who_does_not_read_on_holds_the_relay_back():
    frames, sent = 200, 0

    async def flood(socket: ServerConnection) -> None:
        nonlocal sent
        padding = "x" * 2**18
        for number in range(frames):
            await socket.send(f'["NOTICE","{number} {padding}"]')
            sent += 1

    async def scenario() -> None:
        async with serve(flood, "127.0.0.1", 0) as server, connected(_url(server)) as relay:
            messages = relay.messages()
            await anext(messages)
            before = 0
            while sent > before:
                before = sent
                await asyncio.sleep(0.2)

            # The rest of 50 MiB is neither with us nor in the buffers of TCP.
            assert sent < frames - 50
            numbers = [notice.text.split()[0] async for notice in _taken(messages, frames - 1)]
            assert numbers == [str(number) for number in range(1, frames)]

    run(scenario())


def test_a_relay_that_asks_whether_we_live_is_answered():
    answered = asyncio.Event()

    async def ask(socket: ServerConnection) -> None:
        await (await socket.ping(b"there?"))
        answered.set()
        await socket.wait_closed()

    async def scenario() -> None:
        async with serve(ask, "127.0.0.1", 0) as server, connected(_url(server)) as relay:
            reading = asyncio.create_task(_read_all(relay))
            await answered.wait()
            reading.cancel()

    run(scenario())


def test_why_the_relay_has_closed_the_connection_is_told():
    async def close(socket: ServerConnection) -> None:
        await socket.close(1008, "too much of you")

    async def scenario() -> None:
        async with serve(close, "127.0.0.1", 0) as server, connected(_url(server)) as relay:
            with pytest.raises(RelayGone, match="1008 too much of you"):
                await _read_all(relay)
            with pytest.raises(RelayGone):
                await relay.send("anybody?")

    run(scenario())


def test_a_secret_in_the_address_is_not_repeated_by_an_error(monkeypatch):
    async def refused(url: str, words: str) -> None:
        with pytest.raises(RelayGone, match=words) as gone:
            async with connected(url):
                pass
        assert "secret" not in str(gone.value)

    async def scenario() -> None:
        async with await asyncio.start_server(not_a_relay, "127.0.0.1", 0) as server:
            with_secret = _url(server).replace("//", "//me:secret@")
            await refused(f"{with_secret}/?key=secret", "HTTP 404")
            monkeypatch.setenv("https_proxy", with_secret.replace("ws:", "http:"))
            await refused("wss://relay.example", "the proxy refused: HTTP 404, Not Found")
        for no_address in ("http://me:secret#1@proxy.example", "http://me:secret@:80"):
            monkeypatch.setenv("https_proxy", no_address)
            await refused("wss://relay.example", "not valid")
        await refused("ws://me:secret#1@relay.example", "not valid")
        await refused("ws://me:secret@/?key=secret", "not valid")

    run(scenario())


def test_an_encrypted_connection_goes_through_the_proxy_of_the_environment(monkeypatch):
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
            monkeypatch.setenv("https_proxy", _url(proxy).replace("ws:", "http:"))
            monkeypatch.setenv("no_proxy", "near.example")
            with pytest.raises(RelayGone):
                async with connected("wss://relay.example/x"):
                    pass

    run(scenario())
    assert asked == [b"CONNECT relay.example:443 HTTP/1.1\r\n"]
    assert relay_module.proxy_for("wss://near.example") is None
    assert relay_module.proxy_for("ws://relay.example") is None


async def _taken(
    messages: AsyncGenerator[RelayMessage, None], number: int
) -> AsyncGenerator[NoticeMessage, None]:
    for _ in range(number):
        message = await anext(messages)
        assert isinstance(message, NoticeMessage)
        yield message


def _url(server: Server | asyncio.Server) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
