"""A relay on loopback that keeps every event and otherwise does all that a bad day brings."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from funnel.nostr import Event
from ingestion.pipeline import MAX_EVENT_BYTES
from tests.builders import a_note, as_json
from tests.crowd import Signed
from tests.ingestion.fake_relay import GARBAGE
from tests.ports import free_port

CAP = 500
# A client that does not read has so many frames waiting before it is disconnected.
MAX_WAITING = 20_000
STALL_SECONDS = (0.2, 1.5)


class ChaosRelay:
    """Answers each REQ completely unless it says or shows that it does not (CLOSED, a cut).

    What it does not do is lie: an answer that ends with EOSE was complete up to the cap.
    """

    def __init__(self, dice: random.Random, *, misbehaviours: int) -> None:
        """`misbehaviours`: how often at most it ends an answer, a subscription or a connection.

        Without a bound, no client with a growing delay between its connections would ever end.
        """
        self.url = ""
        self.did: Counter[str] = Counter()
        self._dice = dice
        self._left = misbehaviours
        self._server: Server | None = None
        self._port = free_port()
        # Newest first, among the same second by id (NIP-01).
        self._order: list[tuple[int, str]] = []
        self._events: dict[str, Signed] = {}
        self._clients: dict[ServerConnection, Client] = {}
        self._oversized = an_oversized_event()

    async def open(self) -> None:
        self._server = await serve(
            self._converse, "127.0.0.1", self._port, max_size=None, close_timeout=0.1
        )
        self.url = f"ws://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Nobody can connect until it is opened again."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Ends all connections as a power failure does."""
        for socket in list(self._clients):
            socket.transport.abort()

    def store(self, signed: Signed) -> None:
        """Keeps the event without sending it to anybody."""
        self._events[signed.event.id] = signed
        bisect.insort(self._order, (-signed.event.created_at, signed.event.id))

    def publish(self, signed: Signed) -> None:
        """Keeps the event and sends it to who is subscribed; now and then also twice, or forged."""
        self.store(signed)
        for client in self._clients.values():
            if not client.is_live:
                continue
            chance = self._dice.random()
            if chance < 0.01:
                self.did["forged_live_event"] += 1
                client.send(event_frame("live", forged(signed, self._dice)))
            elif chance < 0.02:
                self.did["garbage_frame"] += 1
                client.send(self._dice.choice(GARBAGE))
            elif chance < 0.021:
                self.did["oversized_event"] += 1
                client.send(event_frame("live", self._oversized))
            client.send(event_frame("live", signed.json))
            if chance > 0.9:
                self.did["repeated_live_event"] += 1
                client.send(event_frame("live", signed.json))

    def close_live_subscriptions(self) -> None:
        for client in self._clients.values():
            if client.is_live:
                client.is_live = False
                client.send('["CLOSED","live","error: shutting down idle subscription"]')

    async def _converse(self, socket: ServerConnection) -> None:
        client = self._clients[socket] = Client(socket)
        self.did["connection"] += 1
        try:
            async for frame in socket:
                match orjson.loads(frame):
                    case ["REQ", "live", *_]:
                        client.is_live = True
                        client.send('["EOSE","live"]')
                    case ["REQ", str(name), dict(asked)]:
                        await self._answer(client, name, asked)
                    case ["NEG-OPEN", *_]:
                        client.send('["NOTICE","ERROR: bad msg: unknown cmd"]')
        except ConnectionClosed:
            pass
        finally:
            client.sending.cancel()
            del self._clients[socket]

    async def _answer(self, client: Client, name: str, asked: dict[str, Any]) -> None:
        self.did["page"] += 1
        found = self._stored(asked)
        chance = self._dice.random()
        if chance < 0.10 and self._left > 0:
            self._left -= 1
            if chance < 0.04:
                self.did["page_cut"] += 1
                for signed in found[: self._dice.randrange(len(found) + 1)]:
                    client.send(event_frame(name, signed.json))
                await asyncio.sleep(0.05)
                client.socket.transport.abort()
                return
            if chance < 0.07:
                self.did["page_refused"] += 1
                client.send(orjson.dumps(["CLOSED", name, "error: too busy"]).decode())
                return
            self.did["stall"] += 1
            await asyncio.sleep(self._dice.uniform(*STALL_SECONDS))
        if chance > 0.7:
            self.did["page_reordered"] += 1
            self._dice.shuffle(found)
        if chance > 0.85:
            self.did["page_with_copies"] += 1
            found += found[: len(found) // 3]
        for number, signed in enumerate(found):
            if number % 97 == 96:
                client.send(event_frame(name, forged(signed, self._dice)))
                client.send(self._dice.choice(GARBAGE))
            client.send(event_frame(name, signed.json))
        client.send(orjson.dumps(["EOSE", name]).decode())

    def _stored(self, asked: dict[str, Any]) -> list[Signed]:
        """Up to the cap, newest first."""
        limit = min(asked.get("limit", CAP), CAP)
        start = bisect.bisect_left(self._order, (-asked.get("until", 2**40), ""))
        found: list[Signed] = []
        for place in range(start, len(self._order)):
            created_at, event_id = self._order[place]
            if len(found) == limit or -created_at < asked.get("since", 0):
                break
            signed = self._events[event_id]
            if _matches(signed.event, asked):
                found.append(signed)
        return found


class Client:
    """One connection, with what waits to be sent to it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.is_live = False
        self._waiting: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.sending = asyncio.create_task(self._send_all())

    def send(self, frame: str | bytes) -> None:
        if self._waiting.qsize() > MAX_WAITING:
            self.socket.transport.abort()
        self._waiting.put_nowait(frame)

    async def _send_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.socket.send(await self._waiting.get())


def event_frame(subscription: str, event_json: bytes) -> str:
    return f'["EVENT","{subscription}",{event_json.decode()}]'


def forged(signed: Signed, dice: random.Random) -> bytes:
    """The same id with another content, or with a signature that does not hold."""
    raw = orjson.loads(signed.json)
    if dice.random() < 0.5:
        raw["content"] += "!"
    else:
        raw["sig"] = "0" * 128
    return orjson.dumps(raw)


def an_oversized_event() -> bytes:
    return orjson.dumps(as_json(a_note(content="x" * (MAX_EVENT_BYTES + 1))))


def _matches(event: Event, asked: dict[str, Any]) -> bool:
    kinds: Iterable[int] = asked.get("kinds", (event.kind,))
    authors: Iterable[str] = asked.get("authors", (event.pubkey,))
    return event.kind in kinds and event.pubkey in authors
