"""Reading a relay's past, newest first, in steps that survive the end of the process."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from django.db import DatabaseError

from ingestion.by_id import BusySeconds
from ingestion.dialogue import Dialogue, Patience, Reception, RelayRefused
from ingestion.gaps import Gap, Span
from ingestion.messages import Filter
from ingestion.models import BackfillRun, Relay
from ingestion.paging import UNPROVEN, Page, PageRefused, RelayMisbehaved
from ingestion.pipeline import WantedKinds
from ingestion.progress import Progress
from ingestion.relay import RelayGone
from ingestion.sign_in import RelayIdentity
from ingestion.storage import StorageThread
from ingestion.sync import new_pager
from ingestion.visits import Visits

log = structlog.get_logger(__name__)

# How often progress is saved and told.
SAVE_SECONDS = 1.0


class BackfillIncomplete(Exception):
    """The backfill ended before it was complete; the message says why."""


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

    _SAVED = (
        "unread_until",
        "events_read",
        "unreachable_seconds",
        "unproven_seconds",
        "state",
        "error",
        "updated_at",
    )

    def __init__(self, url: str, filter_name: str, span: Span, storage: StorageThread) -> None:
        self._url = url
        self._filter = filter_name
        self._since, self._until = span
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
            unfinished = BackfillRun.objects.filter(**bounds).exclude(state__in=BackfillRun.ENDED)
            run = unfinished.first() or BackfillRun(**bounds, unread_until=self._until)
            run.state, run.error = BackfillRun.State.RUNNING, ""
            run.save()
            self._id = run.pk
            return run.progress

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
                unreachable_seconds=progress.unreachable_seconds,
                unproven_seconds=progress.unproven_seconds,
                state=state,
                error=error[:500],
            ).save(update_fields=self._SAVED, force_update=True)

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
        self._kinds = kinds
        self._reception = reception
        self._book = book
        self._visits = Visits(
            url, reception=reception, identity=identity, patience=patience, now=now
        )
        self._report = report
        self._unreachable: set[int] = set()
        self._unproven: set[int] = set()
        self._pager = new_pager(
            url, kinds, on_unproven=self._unproven.add, on_unreachable=self._unreachable.add
        )
        self._busy_seconds = BusySeconds(url, kinds)
        self._gap = Gap(0, -1)
        self._events_read = 0
        self._began_with = self._acknowledged = Progress(0, 0, 0, 0, 0)

    async def run(self) -> None:
        """Reads what is still to be read. Raises BackfillIncomplete where that cannot be done."""
        progress = self._began_with = self._acknowledged = await self._book.load()
        self._gap = Gap(progress.since, progress.unread_until)
        self._events_read = progress.events_read
        self._report(self.url, progress)
        try:
            if not self._gap.is_closed:
                await self._visits.until_done(self._read)
        except asyncio.CancelledError:
            # Not awaited: ClickHouse may be away, and the end must not wait for it.
            self._book.save(self._acknowledged, BackfillRun.State.INTERRUPTED, "stopped")
            raise
        except (RelayGone, RelayRefused, RelayMisbehaved, PageRefused) as error:
            await self._save(BackfillRun.State.INTERRUPTED, str(error))
            raise BackfillIncomplete(str(error)) from error
        await self._flush()
        if reason := self._doubt():
            await self._save(BackfillRun.State.PARTIAL, reason)
            raise BackfillIncomplete(reason)
        await self._save(BackfillRun.State.COMPLETE)

    def _doubt(self) -> str:
        """Why what was read to the end is not certain to be all; "" where it is."""
        read = self._acknowledged
        if read.unreachable_seconds:
            return f"the relay has more than it gives of {read.unreachable_seconds} seconds"
        if read.unproven_seconds:
            return f"{read.unproven_seconds} seconds {UNPROVEN}"
        return ""

    async def _read(self, dialogue: Dialogue) -> None:
        async def fetch(asked: Filter, since: int, until: int) -> Page:
            page = await dialogue.fetch(asked, since, until)
            self._events_read += page.total
            return page

        await dialogue.watch(self._gap.since, self._gap.until, self._kinds.only)
        read_second = functools.partial(self._busy_seconds.read, dialogue)
        saving = asyncio.create_task(self._save_often())
        try:
            await self._pager.walk(self._gap, fetch, read_second)
        finally:
            saving.cancel()

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save(BackfillRun.State.RUNNING)
            except DatabaseError as error:
                # An older place costs what is read twice after a kill; the next one may be saved.
                log.warning("progress_not_saved", relay=self.url, error=str(error))

    async def _flush(self) -> None:
        """Until ClickHouse has acknowledged all that was read up to now."""
        progress = dataclasses.replace(
            self._began_with,
            unread_until=self._gap.until,
            events_read=self._events_read,
            unreachable_seconds=self._began_with.unreachable_seconds + len(self._unreachable),
            unproven_seconds=self._began_with.unproven_seconds + len(self._unproven),
        )
        await self._reception.intake.flushed()
        self._acknowledged = progress

    async def _save(self, state: BackfillRun.State, error: str = "") -> None:
        await self._flush()
        await self._book.save(self._acknowledged, state, error)
        self._report(self.url, self._acknowledged)
