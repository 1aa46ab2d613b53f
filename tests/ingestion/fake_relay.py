"""A relay on loopback that follows NIP-01 and, where a script says so, misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from funnel.nostr import Event
from tests.builders import as_json


@dataclass(frozen=True)
class Drop:
    """Sends that many events of the answer, then cuts the connection without a word."""

    after: int = 0


@dataclass(frozen=True)
class Close:
    """Refuses the REQ with CLOSED."""

    text: str


@dataclass(frozen=True)
class Silence:
    """Sends that many events of the answer and no EOSE."""

    after: int = 0


@dataclass(frozen=True)
class Say:
    """Sends these frames first, then the answer as it ought to be."""

    frames: tuple[str | bytes, ...]


Fault = Drop | Close | Silence | Say

# What a relay might send and no client should stumble over.
GARBAGE: tuple[str | bytes, ...] = (
    "",
    "not JSON",
    "[]",
    "{}",
    "null",
    "[[[[",
    '["EVENT"]',
    '["EVENT","live"]',
    '["EVENT","live",null]',
    '["EVENT","live",[]]',
    '["EVENT","live",{"id":1}]',
    '["EVENT",{"id":"x"}]',
    '["EVENT","nobody asked",{}]',
    '["EOSE"]',
    '["EOSE",7]',
    '["EOSE","nobody asked"]',
    '["CLOSED","nobody asked"]',
    '["OK","x",true,""]',
    '["NOTICE"]',
    '["NOTICE","hello \\u0000"]',
    '["COUNT","x",{"count":1}]',
    '["EVENT","live",{"content":"\\ud800"}]',
    b"\xff\xfe\x00binary",
    "[" * 5000,
)


@dataclass
class FakeRelay:
    """`faults`: what happens at the n-th REQ for stored events (the live one is not counted)."""

    events: list[Event] = field(default_factory=list)
    cap: int = 500
    faults: dict[int, Fault] = field(default_factory=dict)
    challenge: str = ""
    excludes_until: bool = False
    empty_filters_match_nothing: bool = False
    # Whether a REQ for nothing stored gets an EOSE.
    ends_empty_answers: bool = True
    # How long it thinks about each page.
    page_seconds: float = 0.0
    sends_live_events: bool = True
    # Those on which something was asked for.
    connections: int = 0
    pages: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    signed_in: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    # Events that each page after the first n brings along as live ones: {page: events}.
    live_during: dict[int, list[Event]] = field(default_factory=dict)
    _subscriptions: dict[ServerConnection, dict[str, list[dict[str, Any]]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.events = list(self.events)

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[FakeRelay]:
        serving = serve(self._converse, "127.0.0.1", port, max_size=None, close_timeout=0.1)
        async with serving as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def publish(self, *events: Event) -> None:
        """Stores the events and sends them to who is subscribed to such."""
        for event in events:
            self.events.append(event)
            if not self.sends_live_events:
                continue
            for socket, subscriptions in list(self._subscriptions.items()):
                for name, filters in list(subscriptions.items()):
                    if any(self._matches(event, asked) for asked in filters):
                        await _send(socket, ["EVENT", name, as_json(event)])

    async def say(self, *frames: str | bytes) -> None:
        """Sends frames to everybody."""
        for socket in list(self._subscriptions):
            for frame in frames:
                await socket.send(frame)

    @property
    def is_connected(self) -> bool:
        return bool(self._subscriptions)

    async def wait_for_connection(self) -> None:
        while not self._subscriptions:
            await asyncio.sleep(0.001)

    def stall(self) -> None:
        """Reads no more from anybody: no pong comes back, and no TCP connection ends."""
        for socket in self._subscriptions:
            socket.transport.pause_reading()

    async def cut(self) -> None:
        """Ends all connections as a power failure does."""
        for socket in list(self._subscriptions):
            socket.transport.abort()
        await asyncio.sleep(0)

    async def _converse(self, socket: ServerConnection) -> None:
        self._subscriptions[socket] = {}
        is_signed_in = not self.challenge
        has_asked = False
        try:
            if self.challenge:
                await _send(socket, ["AUTH", self.challenge])
            async for frame in socket:
                message = orjson.loads(frame)
                if message[0] == "REQ" and not has_asked:
                    has_asked = True
                    self.connections += 1
                match message:
                    case ["AUTH", event]:
                        self.signed_in.append(event)
                        is_signed_in = True
                        await _send(socket, ["OK", event["id"], True, ""])
                    case ["REQ", str(name), *filters] if not is_signed_in:
                        await _send(socket, ["CLOSED", name, "auth-required: who are you?"])
                    case ["REQ", str(name), *filters]:
                        await self._answer(socket, name, filters)
                    case ["CLOSE", str(name)]:
                        self._subscriptions[socket].pop(name, None)
                    case _:
                        await _send(socket, ["NOTICE", "ERROR: bad msg: unknown cmd"])
        except ConnectionClosed:
            pass
        finally:
            del self._subscriptions[socket]

    async def _answer(
        self, socket: ServerConnection, name: str, filters: list[dict[str, Any]]
    ) -> None:
        fault: Fault | None = None
        wants_stored = any(asked.get("limit") != 0 for asked in filters)
        if wants_stored:
            self.pages += 1
            self.asked += filters
            fault = self.faults.get(self.pages)
            await asyncio.sleep(self.page_seconds)
        if isinstance(fault, Close):
            await _send(socket, ["CLOSED", name, fault.text])
            return
        if isinstance(fault, Say):
            for frame in fault.frames:
                await socket.send(frame)
        self._subscriptions[socket][name] = filters
        answer = self._stored(filters)
        if isinstance(fault, Drop | Silence):
            answer = answer[: fault.after]
        for event in answer:
            await _send(socket, ["EVENT", name, as_json(event)])
        await self.publish(*self.live_during.pop(self.pages, []))
        if isinstance(fault, Drop):
            socket.transport.abort()
        elif not isinstance(fault, Silence) and (wants_stored or self.ends_empty_answers):
            await _send(socket, ["EOSE", name])

    def _stored(self, filters: Iterable[dict[str, Any]]) -> list[Event]:
        found: dict[str, Event] = {}
        for asked in filters:
            matching = [event for event in self.events if self._matches(event, asked)]
            matching.sort(key=lambda event: (-event.created_at, event.id))
            limit = min(asked.get("limit", self.cap), self.cap)
            found |= {event.id: event for event in matching[:limit]}
        return list(found.values())

    def _matches(self, event: Event, asked: dict[str, Any]) -> bool:
        if self.empty_filters_match_nothing and not asked.keys() - {"limit"}:
            return False
        until = asked.get("until", 2**63) - self.excludes_until
        return (
            event.id in asked.get("ids", [event.id])
            and asked.get("since", 0) <= event.created_at <= until
            and event.kind in asked.get("kinds", [event.kind])
            and event.pubkey in asked.get("authors", [event.pubkey])
        )


async def _send(socket: ServerConnection, message: list[Any]) -> None:
    with contextlib.suppress(ConnectionClosed):
        await socket.send(orjson.dumps(message).decode())
