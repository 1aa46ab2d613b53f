"""The connection to one relay: what it says, message by message, and what we say to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType

from ingestion.messages import RelayMessage, parse_message
from ingestion.resolver import SystemResolver

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
# Silence after which the relay is asked whether it lives, and how long it may take to answer.
PING_SECONDS = 20.0
PONG_SECONDS = 20.0
# A larger frame ends the connection: no relay's limits come near it, and memory is bounded by it.
MAX_FRAME_BYTES = 8 * 2**20
NO_ADDRESS = "the relay's address or the proxy's is not valid"


class RelayGone(Exception):
    """The connection could not be made or has ended; the message says why."""


class RelayConnection:
    """Reads frame by frame: who does not read on holds the relay back through TCP.

    aiohttp stops to read the socket when a quarter of a megabyte is waiting for us.
    """

    def __init__(self, socket: ClientWebSocketResponse[Literal[False]]) -> None:
        self._socket = socket
        self._frames = 0
        self._is_waiting = False
        self._answers_no_ping = False

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise RelayGone(str(error)) from error

    async def messages(self) -> AsyncGenerator[RelayMessage, None]:
        """All that the relay says until the connection ends, which raises RelayGone."""
        receive = self._socket.receive
        text, binary = WSMsgType.TEXT, WSMsgType.BINARY
        while True:
            self._is_waiting = True
            kind, payload, detail = await receive()
            self._is_waiting = False
            self._frames += 1
            if kind is text or kind is binary:
                # As bytes: invalid UTF-8 is one unreadable frame then, not a lost connection.
                yield parse_message(payload)
            elif kind is WSMsgType.PING:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._socket.pong(payload)
            elif kind is not WSMsgType.PONG:
                raise RelayGone(self._end(kind, payload, detail))

    def _end(self, kind: WSMsgType, payload: object, detail: object) -> str:
        if kind is WSMsgType.CLOSE:
            return f"the relay closed the connection: {payload} {detail or ''}".rstrip()
        if kind is WSMsgType.ERROR:
            return f"the connection failed: {payload}"
        if self._answers_no_ping:
            return "the relay answers no ping"
        return str(self._socket.exception() or "the connection was cut")

    @property
    def is_waiting(self) -> bool:
        """Whether it is the relay's turn: we have read all that came."""
        return self._is_waiting

    async def watch(self) -> None:
        """Ends the connection of a relay that is silent and answers no ping.

        aiohttp's own heartbeat would do so too while it is us who do not read, because the pong
        waits behind the unread frames.
        """
        while True:
            if not await self._is_silent_for(PING_SECONDS):
                continue
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._socket.ping()
            # Its pong is a frame too.
            if await self._is_silent_for(PONG_SECONDS):
                self._answers_no_ping = True
                await self._socket.close()  # who waits for a message is told

    async def _is_silent_for(self, seconds: float) -> bool:
        """Whether nothing comes in that time although we are reading."""
        seen = self._frames
        await asyncio.sleep(seconds)
        return self._frames == seen and self._is_waiting


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[RelayConnection]:
    """A connection for the time of the block; raises RelayGone when there is none."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=SystemResolver()),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    ) as session:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                # Uncompressed: inflating costs a quarter of what checking an event does.
                socket = await session.ws_connect(
                    url,
                    proxy=proxy_for(url),
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                    autoping=False,
                    max_msg_size=MAX_FRAME_BYTES,
                    decode_text=False,
                )
        # Not the whole text of these, which has the address in it, the relay's or the proxy's, and
        # whatever secret that may hold.
        except aiohttp.ClientHttpProxyError as error:
            raise RelayGone(f"the proxy refused: HTTP {error.status}, {error.message}") from error
        except aiohttp.ClientResponseError as error:
            raise RelayGone(f"no WebSocket there: HTTP {error.status}, {error.message}") from error
        except aiohttp.InvalidURL as error:
            raise RelayGone(NO_ADDRESS) from error
        except TimeoutError as error:
            raise RelayGone(f"no connection within {OPEN_SECONDS:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RelayGone(str(error) or type(error).__name__) from error
        except ValueError as error:  # what splits an address says which part it stumbled over
            raise RelayGone(NO_ADDRESS) from error
        relay = RelayConnection(socket)
        watcher = asyncio.create_task(relay.watch())
        try:
            yield relay
        finally:
            watcher.cancel()
            # The session's end cuts what has not ended by then: a relay may say much before it
            # answers, and `close` reads on until it has.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await socket.close()


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for this wss:// address, as `https_proxy` does.

    None for ws://, which no proxy can be trusted to pass on.
    """
    parts = urlsplit(url)
    if parts.scheme != "wss" or proxy_bypass(f"{parts.hostname}:{parts.port or 443}"):
        return None
    proxies = getproxies()
    return proxies.get("wss") or proxies.get("https")
