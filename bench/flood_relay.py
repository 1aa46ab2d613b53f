"""A relay in a process of its own that costs next to nothing: it sends what was made before.

    python -m bench.flood_relay EVENTS_FILE [--rate N] [--copies X] [--seconds N] [--times FILE]
        [--again]

It says its port on the first line of its output and, on the second, when the flood has begun.
Stored it has nothing: a worker is caught up at once and then gets everything live.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import heapq
import itertools
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CHUNK_FRAMES = 100
TICK_SECONDS = 0.01
MAX_UNSENT_BYTES = 2**20
# A copy comes at most so many frames after the one before it.
COPY_WITHIN = 5_000


def frame(event_json: bytes) -> bytes:
    """A whole WebSocket text frame (RFC 6455, unmasked as servers send them)."""
    payload = b'["EVENT","live",' + event_json + b"]"
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 2**16:
        return bytes((0x81, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x81, 127)) + size.to_bytes(8, "big") + payload


def with_copies(frames: list[bytes], copies: float) -> Iterator[bytes]:
    """Each frame `copies` times on average, the repetitions a while after the first."""
    dice = random.Random(1)
    due: list[tuple[float, int, bytes]] = []
    whole, share = int(copies) - 1, copies % 1
    for number, one in enumerate(frames):
        yield one
        for _ in range(whole + (dice.random() < share)):
            heapq.heappush(due, (number + dice.random() * COPY_WITHIN, number, one))
        while due and due[0][0] <= number:
            yield heapq.heappop(due)[2]
    while due:
        yield heapq.heappop(due)[2]


class Flood:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.frames = [frame(line) for line in Path(options.events).read_bytes().splitlines()]
        self.sent_at: list[float] = []

    async def converse(self, socket: ServerConnection) -> None:
        flooding: asyncio.Task[None] | None = None
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                message: Any = orjson.loads(text)
                if message[0] != "REQ":
                    continue
                await socket.send(orjson.dumps(["EOSE", message[1]]).decode())
                if message[1] != "live" and flooding is None:
                    flooding = asyncio.create_task(self.flood(socket))
        if flooding is not None:
            flooding.cancel()

    async def flood(self, socket: ServerConnection) -> None:
        options = self.options
        await asyncio.sleep(0.5)
        say(str(time.time()))
        began = time.monotonic()
        pending: list[bytes] = []
        sent = 0
        rounds = itertools.count() if options.again else range(1)
        frames = (one for _ in rounds for one in with_copies(self.frames, options.copies))
        for one in frames:
            pending.append(one)
            if len(pending) < CHUNK_FRAMES and not options.rate:
                continue
            # Straight to the transport: websockets would cost more than all that is measured.
            socket.transport.write(b"".join(pending))
            sent += len(pending)
            if options.times:
                self.sent_at.append(time.time())
            pending.clear()
            while socket.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                await asyncio.sleep(0.001)
            while options.rate and sent > (time.monotonic() - began) * options.rate:
                await asyncio.sleep(TICK_SECONDS)
            if options.seconds and time.monotonic() - began > options.seconds:
                break
        socket.transport.write(b"".join(pending))
        if options.times:
            Path(options.times).write_bytes(orjson.dumps(self.sent_at))
        say("sent")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events")
    parser.add_argument("--rate", type=float, default=0, help="frames a second; 0: no limit")
    parser.add_argument("--copies", type=float, default=1)
    parser.add_argument("--seconds", type=float, default=0, help="then it sends no more")
    parser.add_argument("--again", action="store_true", help="from the first one after the last")
    parser.add_argument("--times", help="where to write when each frame was sent")
    flood = Flood(parser.parse_args())
    async with serve(flood.converse, "127.0.0.1", 0, ping_interval=None) as server:
        say(str(server.sockets[0].getsockname()[1]))
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
