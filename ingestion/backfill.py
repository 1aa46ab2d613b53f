"""Reading a relay's past, newest first, in steps that survive the end of the process."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from ingestion.dialogue import Dialogue, Patience, Reception, RelayRefused
from ingestion.gaps import Gap
from ingestion.messages import Filter
from ingestion.models import BackfillRun, Relay
from ingestion.paging import Page, PageRefused, RelayMisbehaved
from ingestion.pipeline import WantedKinds
from ingestion.relay import RelayGone, connected
from ingestion.sign_in import RelayIdentity
from ingestion.storage import StorageThread
from ingestion.sync import new_pager, until_first_ends

log = structlog.get_logger(__name__)

# How often progress is saved and told.
SAVE_SECONDS = 1.0
# Connections in a row that bring no page before a backfill gives up.
MAX_FUTILE_CONNECTIONS = 8
# The oldest events that Nostr can have; what claims to be older is read, but is no progress.
NOSTR_BEGAN_AT = 1_604_707_200


class BackfillIncomplete(Exception):
    """The backfill ended before it was complete; the message says why."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill has come; times of events in Unix seconds."""

    since: int
    until: int
    # All after it is in ClickHouse.
    unread_until: int
    events_read: int

    def fraction(self, now: float) -> float:
        """The part of the span's time that is read, from 0 to 1; nobody knows the events'."""
        newest = min(self.until, int(now))
        oldest = min(max(self.since, NOSTR_BEGAN_AT), newest)
        if self.unread_until < self.since:
            return 1.0
        if newest == oldest:
            return 0.0
        return min(1.0, max(0.0, (newest - self.unread_until) / (newest - oldest)))


@dataclass(frozen=True, slots=True)
class Pace:
    """What one process has done since it began, to tell what it will need."""

    began_at: float
    began_with: Progress

    def events_per_second(self, progress: Progress, now: float) -> float:
        seconds = now - self.began_at
        return (progress.events_read - self.began_with.events_read) / seconds if seconds > 0 else 0

    def remaining_seconds(self, progress: Progress, now: float) -> float | None:
        """As if the events were spread evenly over time; None before anything is known."""
        done = progress.fraction(now)
        gained = done - self.began_with.fraction(now)
        if gained <= 0:
            return None
        return (now - self.began_at) * (1 - done) / gained


# Told the relay's address and its progress.
Report = Callable[[str, Progress], None]


class RunBook(Protocol):
    """Where a run's progress is kept."""

    async def load(self) -> Progress: ...

    def save(
        self, progress: Progress, state: BackfillRun.State, error: str = ""
    ) -> asyncio.Future[None]: ...


class BackfillRunBook:
    """The row of a run, read and written in the storage thread."""

    def __init__(
        self, url: str, filter_name: str, since: int, until: int, storage: StorageThread
    ) -> None:
        self._url = url
        self._filter = filter_name
        self._since = since
        self._until = until
        self._storage = storage
        self._id = 0

    async def load(self) -> Progress:
        """Of the run with these bounds that was not completed, or of a new one."""

        def load() -> Progress:
            relay, _ = Relay.objects.get_or_create(url=self._url)
            bounds = {
                "relay": relay,
                "filter": self._filter,
                "since": self._since,
                "until": self._until,
            }
            unfinished = BackfillRun.objects.filter(**bounds).exclude(
                state=BackfillRun.State.COMPLETE
            )
            run = unfinished.first() or BackfillRun(**bounds, unread_until=self._until)
            run.state, run.error = BackfillRun.State.RUNNING, ""
            run.save()
            self._id = run.pk
            return Progress(run.since, run.until, run.unread_until, run.events_read)

        return await self._storage.call(load)

    def save(
        self, progress: Progress, state: BackfillRun.State, error: str = ""
    ) -> asyncio.Future[None]:
        """To be called once ClickHouse has acknowledged everything that this says is read."""

        def save() -> None:
            BackfillRun(
                pk=self._id,
                unread_until=progress.unread_until,
                events_read=progress.events_read,
                state=state,
                error=error[:500],
            ).save(
                update_fields=["unread_until", "events_read", "state", "error", "updated_at"],
                force_update=True,
            )

        return self._storage.call(save)


class RelayBackfill:
    """One run against one relay."""

    def __init__(
        self,
        url: str,
        *,
        kinds: WantedKinds,
        reception: Reception,
        book: RunBook,
        identity: RelayIdentity | None,
        patience: Patience,
        report: Report,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`report` is called at the start and after each saving."""
        self.url = url
        self._reception = reception
        self._book = book
        self._identity = identity
        self._patience = patience
        self._report = report
        self._now = now
        self._pager = new_pager(url, kinds)
        self._gap = Gap(0, -1)
        self._events_read = 0
        self._acknowledged = Progress(0, 0, 0, 0)

    async def run(self) -> None:
        """Reads what is still to be read. Raises BackfillIncomplete where that cannot be done."""
        progress = self._acknowledged = await self._book.load()
        self._gap = Gap(progress.since, progress.unread_until)
        self._events_read = progress.events_read
        self._report(self.url, progress)
        try:
            await self._connect_until_complete()
        except asyncio.CancelledError:
            # Not awaited: ClickHouse may be away, and the end must not wait for it.
            self._book.save(self._acknowledged, BackfillRun.State.INTERRUPTED, "stopped")
            raise
        except BackfillIncomplete as error:
            await self._save(BackfillRun.State.INTERRUPTED, str(error))
            raise
        await self._save(BackfillRun.State.COMPLETE)

    async def _connect_until_complete(self) -> None:
        delays = self._patience.delays()
        futile = 0
        while not self._gap.is_closed:
            pages_read = 0
            try:
                async with connected(self.url) as relay:
                    dialogue = Dialogue(
                        relay,
                        self.url,
                        reception=self._reception,
                        identity=self._identity,
                        patience=self._patience,
                        now=self._now,
                    )
                    try:
                        await until_first_ends(dialogue.listen(), self._read(dialogue))
                    finally:
                        pages_read = dialogue.pages_read
            except (RelayRefused, PageRefused, RelayMisbehaved) as error:
                raise BackfillIncomplete(str(error)) from error
            except RelayGone as error:
                futile = 0 if pages_read else futile + 1
                if pages_read:
                    delays = self._patience.delays()
                if futile >= MAX_FUTILE_CONNECTIONS:
                    raise BackfillIncomplete(str(error)) from error
                delay = next(delays)
                log.warning(
                    "relay_lost", relay=self.url, reason=str(error), retry_seconds=round(delay, 1)
                )
                await asyncio.sleep(delay)

    async def _read(self, dialogue: Dialogue) -> None:
        async def fetch(asked: Filter, since: int, until: int) -> Page:
            page = await dialogue.fetch(asked, since, until)
            self._events_read += page.total
            return page

        saving = asyncio.create_task(self._save_often())
        try:
            await self._pager.walk(self._gap, fetch)
        finally:
            saving.cancel()

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self._save(BackfillRun.State.RUNNING)

    async def _save(self, state: BackfillRun.State, error: str = "") -> None:
        """Once ClickHouse has acknowledged all that was read up to now."""
        progress = dataclasses.replace(
            self._acknowledged, unread_until=self._gap.until, events_read=self._events_read
        )
        await self._reception.intake.flushed()
        self._acknowledged = progress
        await self._book.save(progress, state, error)
        self._report(self.url, progress)
