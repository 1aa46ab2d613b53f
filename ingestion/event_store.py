"""The way of events into ClickHouse, for all relays that one process reads, and its orderly end."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from django.utils import timezone

from ingestion import metrics
from ingestion.batch import BatchLimits
from ingestion.dialogue import Reception
from ingestion.garbage import collect_by_the_clock
from ingestion.intake import Intake
from ingestion.metrics import EventTally
from ingestion.pipeline import Accepted, Pipeline, RecentIds, Verify, WantedKinds
from ingestion.rejected import RejectedSamples, save_samples
from ingestion.shared_ids import SharedIds
from ingestion.storage import StorageThread
from ingestion.traffic import save_traffic
from ingestion.vanish import VanishBarriers
from ingestion.writer import Clickhouse, EventWriter, WriteAbandoned, WriteResult

log = structlog.get_logger(__name__)

REPORT_SECONDS = 1.0
# How often what relays send is written down for the admin.
TRAFFIC_SECONDS = 10.0
# An event loop that has not come round for so long is stuck.
HUNG_SECONDS = 15.0
# What a thread gets to end by itself once it was told to.
THREAD_SECONDS = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How events are checked and written. `own_addresses`: what a request to vanish may name."""

    own_addresses: Sequence[str]
    kinds: WantedKinds = field(default_factory=WantedKinds)
    limits: BatchLimits = field(default_factory=BatchLimits)
    shutdown_seconds: float = 20.0
    verify: Verify = Verify.FULL
    # redis://… of the ids that workers share, "" for none.
    dedup_redis_url: str = ""


class EventStore:
    """One process's ingestion. All of it is in one event loop but the storage thread."""

    def __init__(self, options: StoreOptions, clickhouse: Clickhouse) -> None:
        self._options = options
        self._give_up = threading.Event()
        self.storage = StorageThread()
        self._tally = EventTally()
        self._samples = RejectedSamples()
        self._writer = EventWriter(
            clickhouse,
            barriers=VanishBarriers(options.own_addresses),
            give_up=self._give_up,
        )
        self._intake = Intake(write=self._write, limits=options.limits, clock=time.monotonic)
        recent = RecentIds()
        self._shared_ids = (
            SharedIds(options.dedup_redis_url, recent=recent) if options.dedup_redis_url else None
        )
        self.reception = Reception(
            pipeline=Pipeline(kinds=options.kinds, recent=recent, verify=options.verify),
            intake=self._intake,
            tally=self._tally,
            samples=self._samples,
            shared_ids=self._shared_ids,
        )
        self._ticked_at = time.monotonic()

    def health(self) -> list[str]:
        """What shows that the process hangs, in a few words each; for any thread."""
        silence = time.monotonic() - self._ticked_at
        return [f"no sign of life for {silence:.0f} s"] if silence > HUNG_SECONDS else []

    @property
    def is_failing(self) -> bool:
        """Whether ClickHouse does not take what it is given; for any thread."""
        return self._writer.is_failing

    async def serve(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work`, which reads relays, and afterwards writes what is still in memory.

        Gives what `work` returns. Raises what it raises, and whatever else was not foreseen.
        """
        self.storage.start()
        writing = asyncio.create_task(self._intake.run())
        reporting = asyncio.create_task(self._report())
        collecting = asyncio.create_task(collect_by_the_clock())
        working = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait(
                [working, writing, reporting], return_when=asyncio.FIRST_COMPLETED
            )
            for task in (writing, reporting):
                if task in done:
                    task.result()
            return await working
        finally:
            await cancelled(working)
            await self._flush(writing)
            await cancelled(writing, reporting, collecting)
            self._tally.publish()
            self._save_traffic()
            self._save_samples()
            if self._shared_ids is not None:
                await self._shared_ids.close()
            await asyncio.to_thread(self.storage.stop, THREAD_SECONDS)

    async def _flush(self, writing: asyncio.Task[None]) -> None:
        """Writes what is in memory, if that can be done in time; no cursor covers the rest."""
        flushing = asyncio.create_task(self._intake.flushed())
        await asyncio.wait(
            [flushing, writing],
            timeout=self._options.shutdown_seconds - 2 * THREAD_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        self._give_up.set()
        await cancelled(flushing)
        if self._intake.unacknowledged:
            log.warning("events_left_unwritten", events=self._intake.unacknowledged)

    async def _write(self, events: list[Accepted]) -> None:
        try:
            result = await self.storage.call(functools.partial(self._writer.write, events))
        except WriteAbandoned:
            # The end is near: nothing more is to be acknowledged, and nothing more to be tried.
            await asyncio.Event().wait()
            return
        for accepted in result.vanished:
            self._tally.reject("vanished")
            log.debug("event_barred", id=accepted.event.id)
        for accepted in result.refused:
            self._tally.reject("refused_by_clickhouse")
            self._samples.offer("refused_by_clickhouse", "", accepted.event._asdict())
        if self._shared_ids is not None:
            await self._share(self._shared_ids, events, result)

    async def _share(
        self, shared_ids: SharedIds, events: list[Accepted], result: WriteResult
    ) -> None:
        """Tells other workers what is stored now."""
        if not shared_ids.store:
            # Only now is ClickHouse known to answer.
            shared_ids.store = await self.storage.call(self._writer.read_database_identity)
        elsewhere = {item.event.id for item in (*result.vanished, *result.refused)}
        await shared_ids.remember(
            [item.event.id for item in events if item.event.id not in elsewhere]
        )

    def _save_samples(self) -> asyncio.Future[None] | None:
        """The saving that has begun; None where there is nothing to save."""
        if not (samples := self._samples.take()):
            return None
        return self._save("samples", functools.partial(save_samples, samples))

    def _save_traffic(self) -> asyncio.Future[None] | None:
        """As `_save_samples`."""
        if not (traffic := self._tally.take_traffic()):
            return None
        return self._save("traffic", functools.partial(save_traffic, traffic, timezone.now()))

    def _save(self, what: str, save: Callable[[], None]) -> asyncio.Future[None]:
        """Not to be awaited: while ClickHouse is down the storage thread is busy trying.

        What cannot be saved is lost, whatever the reason: it is for looking at.
        """

        def tell(saving: asyncio.Future[None]) -> None:
            if not saving.cancelled() and (error := saving.exception()):
                metrics.NOTES_FAILED.labels(what).inc()
                log.warning("notes_not_saved", what=what, error=repr(error))

        saving = self.storage.call(save)
        saving.add_done_callback(tell)
        return saving

    async def _report(self) -> None:
        saving_samples: asyncio.Future[None] | None = None
        saving_traffic: asyncio.Future[None] | None = None
        traffic_due_at = 0.0
        while True:
            self._ticked_at = time.monotonic()
            await asyncio.sleep(REPORT_SECONDS)
            self._tally.publish()
            metrics.UNACKNOWLEDGED.set(self._intake.unacknowledged)
            if saving_samples is None or saving_samples.done():
                saving_samples = self._save_samples()
            is_free = saving_traffic is None or saving_traffic.done()
            if is_free and self._ticked_at >= traffic_due_at:
                saving_traffic = self._save_traffic()
                traffic_due_at = self._ticked_at + TRAFFIC_SECONDS


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancels the tasks and returns when all have ended; whatever they raise is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
