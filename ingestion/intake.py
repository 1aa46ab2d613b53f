"""Where accepted events gather until ClickHouse has acknowledged them, in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from ingestion.batch import Batch, BatchLimits
from ingestion.pipeline import Accepted


class Intake:
    """One batch is written while the next one gathers; one loop feeds it from all relays."""

    def __init__(
        self,
        *,
        write: Callable[[list[Accepted]], Awaitable[None]],
        limits: BatchLimits,
        clock: Callable[[], float],
    ) -> None:
        """`write` returns once the events are acknowledged; `clock` gives monotonic seconds."""
        self._write = write
        self._limits = limits
        self._clock = clock
        self._batch = Batch(limits)
        self._taken = 0
        self._acknowledged = 0
        self._barriers: list[tuple[int, asyncio.Future[None]]] = []
        self._is_awaited = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()

    def put(self, accepted: Accepted) -> None:
        """Takes the event in any case; who puts must wait for `room` when `is_full` says so."""
        batch = self._batch
        was_large, was_full = batch.is_large, batch.is_full
        batch.add(accepted, self._clock())
        self._taken += 1
        # Only these bring the moment forward at which the batch is due.
        if (
            len(batch.events) == 1
            or batch.is_large is not was_large
            or batch.is_full is not was_full
        ):
            self._wake.set()

    @property
    def is_full(self) -> bool:
        return self._batch.is_full

    async def room(self) -> None:
        while self._batch.is_full:
            self._room.clear()
            await self._room.wait()

    @property
    def unacknowledged(self) -> int:
        """Events that are taken and of which ClickHouse has not said that it has them."""
        return self._taken - self._acknowledged

    async def flushed(self) -> None:
        """Returns when all that was put before is acknowledged; the batch does not age for it."""
        if self.unacknowledged:
            done = asyncio.get_running_loop().create_future()
            self._barriers.append((self._taken, done))
            self._is_awaited = True
            self._wake.set()
            await done

    async def run(self) -> None:
        """Writes batch after batch until it is cancelled or `write` fails."""
        while True:
            await self._due()
            batch, self._batch = self._batch, Batch(self._limits, self._clock())
            self._is_awaited = False
            self._room.set()
            await self._write(batch.events)
            self._acknowledged += len(batch)
            self._release_barriers()

    async def _due(self) -> None:
        while True:
            self._wake.clear()
            due_in = self._batch.due_in(self._clock(), is_awaited=self._is_awaited)
            if due_in == 0.0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due_in):
                    await self._wake.wait()

    def _release_barriers(self) -> None:
        waiting = []
        for taken, done in self._barriers:
            if taken > self._acknowledged:
                waiting.append((taken, done))
                self._is_awaited = True
            elif not done.done():
                done.set_result(None)
        self._barriers = waiting
