"""Keeping up with one relay: live events, and everything that was missed, after every connection.

The live subscription is for freshness. What is proven to be complete is proven by paging: after
each (re)connect, and from time to time on a connection that stands, since a relay may drop live
events for a slow reader without a word. Only what ClickHouse has acknowledged moves the cursor: to
the moment at which a catch-up began, with the gaps that are still to be read.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from ingestion import metrics
from ingestion.by_id import BusySeconds
from ingestion.dialogue import Dialogue, Patience, Reception, RelayRefused
from ingestion.gaps import Gaps, Synced
from ingestion.messages import Filter
from ingestion.models import Relay
from ingestion.paging import Pager
from ingestion.pipeline import WantedKinds
from ingestion.sign_in import RelayIdentity
from ingestion.visits import VisitFailed, Visits

log = structlog.get_logger(__name__)


class Book(Protocol):
    """Where a relay's cursor and state are kept."""

    async def load_cursor(self) -> Synced | None: ...

    async def save_cursor(self, synced: Synced) -> None: ...

    async def save_state(self, state: Relay.State, error: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class SyncTimes(Patience):
    """All in seconds."""

    # How far back a relay is read that never was before; 0: all that it has.
    first_window: int = 0
    # How far before the cursor a new connection starts: relays accept backdated events.
    catchup_overlap: int = 2 * 24 * 3600
    # How often a standing connection is swept for live events that did not come, and how far back.
    sweep_every: float = 300.0
    sweep_overlap: int = 120
    # How often the progress of a catch-up is saved: what is read twice after a kill.
    save_every: float = 2.0
    refused: float = 60.0


class RelaySync:
    """One relay, for as long as the worker runs."""

    def __init__(
        self,
        url: str,
        *,
        kinds: WantedKinds,
        reception: Reception,
        book: Book,
        identity: RelayIdentity | None,
        times: SyncTimes,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        # Set at the end of the first catch-up that was complete and acknowledged.
        self.caught_up = asyncio.Event()
        # What it does now, and what went wrong last.
        self.state = Relay.State.CONNECTING
        self.error = ""
        # While the relay does not serve us; it is asked again from time to time.
        self.is_refused = False
        self._kinds = kinds
        self._reception = reception
        self._book = book
        self._times = times
        self._now = now
        self._log = log.bind(relay=url)
        self._pager = new_pager(url, kinds)
        self._busy_seconds = BusySeconds(url, kinds)
        self._gaps = Gaps()
        # What was created from the first to the second is synced, or in a gap that is still open.
        self._known_since = 0
        self._known_until: int | None = None
        # Owed to events that are dated back, until a gap is open from there on.
        self._reread_since: int | None = None
        self._visits = Visits(url, reception=reception, identity=identity, patience=times, now=now)

    async def run(self) -> None:
        """Connects again and again, until it is cancelled."""
        if (synced := await self._book.load_cursor()) is not None:
            self._known_since, self._known_until = synced.since, synced.until
            self._reread_since = synced.reread_since
            self._gaps = Gaps(synced.gaps)
        metrics.CAUGHT_UP.labels(self.url).set(0)
        await self._enter(Relay.State.CONNECTING)
        await self._visits.until_done(self._stay_in_sync, self._recover)

    async def _recover(self, error: VisitFailed) -> float:
        """After a lost connection. Seconds until the next one."""
        if isinstance(error, RelayRefused):
            self.is_refused = True
            delay = self._times.refused
            self._log.error("relay_refused", reason=str(error), retry_seconds=delay)
            await self._enter(Relay.State.REFUSED, str(error))
        else:
            delay = self._visits.next_delay(error)
            await self._enter(Relay.State.CONNECTING, str(error))
        metrics.RECONNECTS.labels(self.url).inc()
        metrics.CAUGHT_UP.labels(self.url).set(0)
        return delay

    async def _enter(self, state: Relay.State, error: str = "") -> None:
        self.state = state
        self.error = error
        if state is Relay.State.LIVE:
            metrics.SIGN_IN_IMPOSSIBLE.labels(self.url).set(0)
        await self._book.save_state(state, error)

    async def _stay_in_sync(self, dialogue: Dialogue) -> None:
        await self._enter(Relay.State.CATCHING_UP)
        # Before the first page, so that no moment lies between the two.
        await dialogue.open_live(self._live_filters())
        self._owe_overlap()
        if self._gaps.spans():
            # First to the end of what was cut, and only then back by the whole overlap: otherwise a
            # relay that cuts each connection before that is read would never be read any further.
            await self._catch_up(dialogue, since=self._since(self._times.sweep_overlap))
        if self._known_until is None or self._reread_since is not None:
            await self._catch_up(dialogue, since=self._reread_since)
        self.is_refused = False
        self.caught_up.set()
        metrics.CAUGHT_UP.labels(self.url).set(1)
        await self._enter(Relay.State.LIVE)
        while True:
            await asyncio.sleep(self._times.sweep_every)
            await self._catch_up(dialogue, since=self._since(self._times.sweep_overlap))

    def _live_filters(self) -> list[Filter]:
        if self._kinds.only is not None:
            return [{"kinds": sorted(self._kinds.only), "limit": 0}]
        # Some relays give nothing for a filter that names no condition.
        return [{"limit": 0}, {"since": 1, "limit": 0}]

    def _since(self, overlap: int) -> int | None:
        """So long before the end of what is known, None where nothing is."""
        if self._known_until is None:
            return None
        return max(self._known_since, min(self._known_until, int(self._now())) - overlap)

    def _owe_overlap(self) -> None:
        """While nobody was connected, events may have come that are dated back."""
        owed = (self._since(self._times.catchup_overlap), self._reread_since)
        self._reread_since = min((since for since in owed if since is not None), default=None)

    async def _catch_up(self, dialogue: Dialogue, *, since: int | None) -> None:
        """Reads every gap up to now; the cursor follows behind. None: for the first time."""
        began_at = int(self._now())
        if since is None:
            window = self._times.first_window
            since = self._known_since = max(0, began_at - window) if window else 0
        self._gaps.open(since)
        if self._reread_since is not None and since <= self._reread_since:
            self._reread_since = None
        self._known_until = began_at
        asked_before = dialogue.pages_asked

        read_second = functools.partial(self._busy_seconds.read, dialogue)
        saving = asyncio.create_task(self._save_progress(began_at))
        try:
            for gap in self._gaps.newest_first():
                await self._pager.walk(gap, dialogue.fetch, read_second)
        finally:
            saving.cancel()
        await self._save_cursor(began_at)

        self._log.info(
            "relay_caught_up",
            since=since,
            pages=dialogue.pages_asked - asked_before,
            seconds=round(self._now() - began_at, 1),
        )

    async def _save_progress(self, began_at: int) -> None:
        while True:
            await asyncio.sleep(self._times.save_every)
            await self._save_cursor(began_at)

    async def _save_cursor(self, began_at: int) -> None:
        """Once ClickHouse has acknowledged all that was read up to now."""
        synced = Synced(self._known_since, began_at, self._gaps.spans(), self._reread_since)
        await self._reception.intake.flushed()
        await self._book.save_cursor(synced)
        if not synced.gaps:
            metrics.CURSOR.labels(self.url).set(synced.until)


def _tell_nobody(second: int) -> None:
    """What is in the log and the metrics is enough."""


def new_pager(
    url: str,
    kinds: WantedKinds,
    *,
    on_unproven: Callable[[int], None] = _tell_nobody,
    on_unreachable: Callable[[int], None] = _tell_nobody,
) -> Pager:
    """A pager that tells the log and the metrics what it meets at this relay.

    `on_unproven` and `on_unreachable` are told too, once or more for each such second.
    """

    # There before the first one, so that Prometheus sees it as an increase.
    metrics.UNREACHABLE_SECONDS.labels(url)

    def report_crowded(second: int) -> None:
        metrics.CROWDED_SECONDS.labels(url).inc()
        log.warning("second_larger_than_a_page", relay=url, created_at=second)

    def report_unreachable(second: int) -> None:
        metrics.UNREACHABLE_SECONDS.labels(url).inc()
        log.error("events_unreachable", relay=url, created_at=second)
        on_unreachable(second)

    return Pager(
        kinds=kinds.only,
        on_crowded=report_crowded,
        on_unproven=on_unproven,
        on_unreachable=report_unreachable,
    )
