"""The connection to one relay: what it says, message by message, and what we say to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from ingestion.messages import RelayMessage, parse_message

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
# Silence after which the relay is asked whether it lives, and how long it may take to answer.
PING_SECONDS = 20.0
PONG_SECONDS = 20.0
# A larger frame ends the connection: no relay's limits come near it, and memory is bounded by it.
MAX_FRAME_BYTES = 8 * 2**20
# Frames that wait in memory while we are busy; the rest waits in TCP's buffers and at the relay.
MAX_WAITING_FRAMES = 64


class RelayGone(Exception):
    """The connection could not be made or has ended; the message says why."""


class RelayConnection:
    """Reads frame by frame: who does not read on holds the relay back through TCP."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._frames = 0
        self._is_waiting = False

    async def send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise RelayGone(str(error)) from error

    async def messages(self) -> AsyncGenerator[RelayMessage, None]:
        """All that the relay says until the connection ends, which raises RelayGone."""
        receive = self._socket.recv
        while True:
            self._is_waiting = True
            try:
                # As bytes: invalid UTF-8 is one unreadable frame then, not a lost connection.
                frame = await receive(decode=False)
            except ConnectionClosed as error:
                raise RelayGone(str(error)) from error
            self._is_waiting = False
            self._frames += 1
            yield parse_message(frame)

    @property
    def is_waiting(self) -> bool:
        """Whether it is the relay's turn: we have read all that came."""
        return self._is_waiting

    async def watch(self) -> None:
        """Ends the connection of a relay that is silent and answers no ping.

        websockets' own keepalive would do so too while it is us who do not read, because the pong
        waits behind the unread frames.
        """
        while True:
            seen = self._frames
            await asyncio.sleep(PING_SECONDS)
            if self._frames != seen or not self._is_waiting:
                continue
            try:
                pong = await self._socket.ping()
                async with asyncio.timeout(PONG_SECONDS):
                    await pong
            except ConnectionClosed:
                return  # the reader sees it too, and says so
            except TimeoutError:
                if self._frames == seen and self._is_waiting:
                    self._socket.transport.abort()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[RelayConnection]:
    """A connection for the time of the block; raises RelayGone when there is none."""
    try:
        socket = await connect(
            url,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,  # `watch` does it
            max_size=MAX_FRAME_BYTES,
            max_queue=MAX_WAITING_FRAMES,
            # Inflating costs a quarter of what checking an event does.
            compression=None,
        )
    except (OSError, WebSocketException, ValueError) as error:
        raise RelayGone(str(error) or type(error).__name__) from error
    relay = RelayConnection(socket)
    watcher = asyncio.create_task(relay.watch())
    try:
        yield relay
    finally:
        watcher.cancel()
        await socket.close()
