"""The ingestion worker: relays in, ClickHouse out, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from ingestion import metrics
from ingestion.batch import BatchLimits
from ingestion.intake import Intake
from ingestion.metrics import EventTally
from ingestion.pipeline import Accepted, Pipeline, RecentIds, WantedKinds
from ingestion.rejected import RejectedSamples, save_samples
from ingestion.relay_state import RelayBook, mark_stopped
from ingestion.sign_in import RelayIdentity
from ingestion.storage import StorageThread
from ingestion.sync import RelaySync, SyncTimes
from ingestion.vanish import VanishBarriers
from ingestion.writer import Clickhouse, EventWriter, WriteAbandoned

log = structlog.get_logger(__name__)

REPORT_SECONDS = 1.0
# What a thread gets to end by itself once it was told to.
THREAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is to do. `own_addresses`: those that a request to vanish may name."""

    relay_urls: Sequence[str]
    own_addresses: Sequence[str]
    kinds: WantedKinds = field(default_factory=WantedKinds)
    limits: BatchLimits = field(default_factory=BatchLimits)
    times: SyncTimes = field(default_factory=SyncTimes)
    shutdown_seconds: float = 20.0
    identity: RelayIdentity | None = None
    # End once all that the relays had stored is written.
    until_caught_up: bool = False


class Worker:
    """One process's ingestion. All of it is in one event loop but the storage thread."""

    def __init__(self, options: WorkerOptions, clickhouse: Clickhouse) -> None:
        self._options = options
        self._stop = asyncio.Event()
        self._give_up = threading.Event()
        self._storage = StorageThread()
        self._tally = EventTally()
        self._samples = RejectedSamples()
        self._writer = EventWriter(
            clickhouse,
            barriers=VanishBarriers(options.own_addresses),
            give_up=self._give_up,
        )
        self._intake = Intake(write=self._write, limits=options.limits, clock=time.monotonic)
        pipeline = Pipeline(kinds=options.kinds, recent=RecentIds())
        self.relays = [
            RelaySync(
                url,
                kinds=options.kinds,
                pipeline=pipeline,
                intake=self._intake,
                tally=self._tally,
                samples=self._samples,
                book=RelayBook(url, options.kinds.name, self._storage),
                identity=options.identity,
                times=options.times,
            )
            for url in options.relay_urls
        ]

    def stop(self) -> None:
        """Asks the worker to end; to be called in its event loop, as by a signal handler."""
        self._stop.set()

    @property
    def is_caught_up(self) -> bool:
        return all(relay.caught_up.is_set() for relay in self.relays)

    async def run(self) -> bool:
        """Works until told to stop, or caught up where that was asked for.

        Whether each relay has been caught up with. Raises whatever was not foreseen.
        """
        self._storage.start()
        log.info("worker_started", relays=len(self.relays))
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(self._stop.wait())]
        if self._options.until_caught_up:
            ends.append(asyncio.create_task(self._wait_until_caught_up()))
        writing = asyncio.create_task(self._intake.run())
        reporting = asyncio.create_task(self._report())
        reading = [asyncio.create_task(relay.run()) for relay in self.relays]
        try:
            done, _ = await asyncio.wait(
                [*ends, writing, reporting, *reading], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            await _cancelled(*ends, *reading)
            await self._flush(writing)
            await _cancelled(writing, reporting)
            self._tally.publish()
            self._storage.call(functools.partial(mark_stopped, self._options.relay_urls))
            await asyncio.to_thread(self._storage.stop, THREAD_SECONDS)
        log.info("worker_stopped", caught_up=self.is_caught_up)
        return self.is_caught_up

    async def _flush(self, writing: asyncio.Task[None]) -> None:
        """Writes what is in memory, if that can be done in time; no cursor covers the rest."""
        flushing = asyncio.create_task(self._intake.flushed())
        await asyncio.wait(
            [flushing, writing],
            timeout=self._options.shutdown_seconds - 2 * THREAD_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        self._give_up.set()
        await _cancelled(flushing)
        if self._intake.unacknowledged:
            log.warning("events_left_unwritten", events=self._intake.unacknowledged)

    async def _write(self, events: list[Accepted]) -> None:
        try:
            result = await self._storage.call(functools.partial(self._writer.write, events))
        except WriteAbandoned:
            # The end is near: nothing more is to be acknowledged, and nothing more to be tried.
            await asyncio.Event().wait()
            return
        for accepted in result.vanished:
            self._tally.reject("vanished")
            log.debug("event_barred", id=accepted.event.id)
        for accepted in result.refused:
            self._tally.reject("refused_by_clickhouse")
            self._samples.offer("refused_by_clickhouse", "", accepted.event)

    async def _wait_until_caught_up(self) -> None:
        """Or until a relay refuses us: it will not change its mind by itself."""
        while not self.is_caught_up:
            if any(relay.is_refused for relay in self.relays):
                return
            await asyncio.sleep(0.05)

    async def _report(self) -> None:
        saving: asyncio.Future[None] | None = None
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._tally.publish()
            metrics.UNACKNOWLEDGED.set(self._intake.unacknowledged)
            # Not awaited: while ClickHouse is down the storage thread is busy trying.
            if saving is not None and saving.done():
                if error := saving.exception():
                    log.warning("samples_not_saved", error=str(error))
                saving = None
            if saving is None and (samples := self._samples.take()):
                saving = self._storage.call(functools.partial(save_samples, samples))


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
