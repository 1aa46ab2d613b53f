"""The one writer of events: a batch becomes one INSERT and is stored when `write` returns."""

from __future__ import annotations

import functools
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog

from funnel.clickhouse import ClickhouseError, ClickhouseRefused
from funnel.nostr import Kind
from funnel.sql import Query, load_query
from ingestion import backoff, metrics
from ingestion.batch import deduplication_token
from ingestion.pipeline import Accepted
from ingestion.vanish import VanishBarriers

log = structlog.get_logger(__name__)

EVENT_COLUMNS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig", "embedded")
VIEW_COLUMNS = ("id", "pubkey", "created_at", "tags", "content", "sig")
BARRIER_COLUMNS = ("pubkey", "until")

# Barriers that others raise (another worker, the projector) hold here after that long at most.
BARRIER_REFRESH_SECONDS = 5.0
# So many ids one statement names.
ANNOUNCED_IDS = 1000
RETRY_FIRST_SECONDS = 0.1
RETRY_LONGEST_SECONDS = 5.0

Row = tuple[object, ...]
T = TypeVar("T")


class WriteAbandoned(Exception):
    """The writer was told to give up; what it was given is not known to be in ClickHouse."""


class Clickhouse(Protocol):
    """What the writer needs of `funnel.clickhouse.clickhouse`."""

    def select(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]: ...

    def execute(self, query: Query, params: dict[str, Any]) -> None: ...

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        *,
        deduplication_token: str = "",
    ) -> int: ...


@dataclass(slots=True)
class WriteResult:
    """What became of the events of a batch that are not in ClickHouse now; all others are."""

    vanished: list[Accepted] = field(default_factory=list)
    refused: list[Accepted] = field(default_factory=list)


class EventWriter:
    """Blocking, for one thread. Tries for ever what may still succeed, until told to give up."""

    def __init__(
        self,
        clickhouse: Clickhouse,
        *,
        barriers: VanishBarriers,
        give_up: threading.Event,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._clickhouse = clickhouse
        self._barriers = barriers
        self._give_up = give_up
        self._now = now
        self._load_barriers = load_query(__file__, "load_vanish_barriers")
        self._read_identity = load_query(__file__, "read_database_identity")
        self._announce_again = load_query(__file__, "announce_again")
        # What tries whether a table takes anything.
        self._stored_row = {
            "events_local": load_query(__file__, "stored_event"),
            "view_events_local": load_query(__file__, "stored_view"),
        }
        self._salt = secrets.token_bytes(16)
        self._barriers_loaded_at: float | None = None
        # Whether the last thing asked of ClickHouse failed and is being tried again.
        self._is_retrying = False
        # Whether a table takes nothing at all.
        self._is_table_failing = False

    @property
    def is_failing(self) -> bool:
        """Whether ClickHouse does not take what it is given; for any thread."""
        return self._is_retrying or self._is_table_failing

    def write(self, events: list[Accepted]) -> WriteResult:
        """Stores the events; each is afterwards in ClickHouse or in the result.

        Raises WriteAbandoned when told to give up before that is so.
        """
        started = time.perf_counter()
        # The id of the batch: in its log line and, as `log_comment`, in system.query_log.
        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex):
            result = self._write(events)
            log.info(
                "batch_written",
                events=len(events),
                vanished=len(result.vanished),
                refused=len(result.refused),
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return result

    def _write(self, events: list[Accepted]) -> WriteResult:
        result = WriteResult()
        self._refresh_barriers()
        self._raise_barriers(events)
        stored: list[Accepted] = []
        views: list[Accepted] = []
        for accepted in events:
            if self._barriers.bars(accepted.event):
                result.vanished.append(accepted)
            elif accepted.event.kind == Kind.VIEW:
                views.append(accepted)
            else:
                stored.append(accepted)

        result.refused += self._store("events_local", EVENT_COLUMNS, _event_row, stored)
        result.refused += self._store("view_events_local", VIEW_COLUMNS, _view_row, views)
        metrics.EVENTS_WRITTEN.inc(len(events) - len(result.vanished) - len(result.refused))
        self._observe_lag(stored)
        return result

    def read_database_identity(self) -> str:
        """The same for the same database, another one for one that was created anew.

        Empty where the account may not see it.
        """
        rows = self._until_it_succeeds(lambda: self._clickhouse.select(self._read_identity, {}))
        return str(rows[0]["identity"]) if rows else ""

    # --- Requests to vanish -----------------------------------------------------------------------

    def _refresh_barriers(self) -> None:
        now = self._now()
        loaded_at = self._barriers_loaded_at
        if loaded_at is not None and 0 <= now - loaded_at < BARRIER_REFRESH_SECONDS:
            return
        for row in self._until_it_succeeds(
            lambda: self._clickhouse.select(self._load_barriers, {})
        ):
            self._barriers.raise_to(row["pubkey"], row["until"])
        self._barriers_loaded_at = now

    def _raise_barriers(self, events: list[Accepted]) -> None:
        """Before the events, so that no moment exists in which a barred one could come in."""
        now = int(self._now())
        rows: list[Row] = [
            (accepted.event.pubkey, accepted.event.created_at)
            for accepted in events
            if self._barriers.concerns_us(accepted.event, now)
            and self._barriers.raise_to(accepted.event.pubkey, accepted.event.created_at)
        ]
        if rows:
            self._until_it_succeeds(
                lambda: self._clickhouse.insert("vanish_barriers", BARRIER_COLUMNS, rows)
            )
            log.info("vanish_barriers_raised", pubkeys=len(rows))

    # --- Inserts ----------------------------------------------------------------------------------

    def _store(
        self,
        table: str,
        columns: Sequence[str],
        as_row: Callable[[Accepted], Row],
        events: list[Accepted],
    ) -> list[Accepted]:
        """The events that ClickHouse refuses for what is in them."""
        delays = backoff.delays(RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS)
        if not events:
            return []
        while True:
            refused = self._bisect(table, columns, as_row, events)
            if len(refused) < len(events) or self._are_to_blame(table, columns, events):
                self._is_table_failing = False
                return refused
            # No event may be lost for the table's fault.
            self._is_table_failing = True
            metrics.WRITES_FAILED.inc()
            log.error("batch_refused_altogether", table=table, rows=len(events))
            self._pause(next(delays))

    def _are_to_blame(self, table: str, columns: Sequence[str], events: list[Accepted]) -> bool:
        """Whether events that are refused altogether are so for what is in them.

        A row that is stored already is put in once more, which changes nothing: where that is
        refused too, it is the table. While there is no such row, it is one event and never many.
        """
        try:
            found = self._until_it_succeeds(
                lambda: self._clickhouse.select(self._stored_row[table], {})
            )
            if not found:
                return len(events) == 1
            rows = [tuple(row[column] for column in columns) for row in found]
            # Another one each time, or it would be dropped as a repetition before it is tried.
            token = secrets.token_hex(16)
            self._until_it_succeeds(
                lambda: self._clickhouse.insert(table, columns, rows, deduplication_token=token)
            )
        except ClickhouseRefused:
            return False
        return True

    def _bisect(
        self,
        table: str,
        columns: Sequence[str],
        as_row: Callable[[Accepted], Row],
        events: list[Accepted],
    ) -> list[Accepted]:
        """Halves a batch that is refused until what is refused stands alone."""
        try:
            self._insert(table, columns, [as_row(accepted) for accepted in events], events)
        except ClickhouseRefused as error:
            if len(events) == 1:
                log.error("event_refused_by_clickhouse", id=events[0].event.id, code=error.code)
                return events
            middle = len(events) // 2
            return self._bisect(table, columns, as_row, events[:middle]) + self._bisect(
                table, columns, as_row, events[middle:]
            )
        return []

    def _insert(
        self, table: str, columns: Sequence[str], rows: list[Row], events: list[Accepted]
    ) -> None:
        # A retry whose first attempt did arrive after all is dropped by ClickHouse itself.
        token = deduplication_token(events, salt=self._salt)
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            with metrics.WRITE_LATENCY.time():
                self._clickhouse.insert(table, columns, rows, deduplication_token=token)

        self._until_it_succeeds(attempt)
        if attempts > 1:
            self._announce([accepted.event.id for accepted in events])
        metrics.BATCH_SIZE.observe(len(rows))

    def _announce(self, ids: list[str]) -> None:
        """An attempt that failed may have reached `arrivals` and not the facts.

        Then the repetition fills the facts under a time of arrival that the projector may have left
        behind for good, as after an outage of minutes. So they arrive once more, now that all is
        there.
        """
        for start in range(0, len(ids), ANNOUNCED_IDS):
            some = {"ids": ids[start : start + ANNOUNCED_IDS]}
            self._until_it_succeeds(
                functools.partial(self._clickhouse.execute, self._announce_again, some)
            )
        log.info("events_announced_again", events=len(ids))

    def _until_it_succeeds(self, attempt: Callable[[], T]) -> T:
        """Whatever ClickHouse does not refuse for its content may be accepted later."""
        delays = backoff.delays(RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS)
        while True:
            try:
                result = attempt()
            except ClickhouseRefused:
                self._is_retrying = False
                raise
            except ClickhouseError as error:
                self._is_retrying = True
                delay = next(delays)
                metrics.WRITES_FAILED.inc()
                log.warning(
                    "clickhouse_write_failed",
                    error=type(error).__name__,
                    code=error.code,
                    retry_seconds=round(delay, 2),
                )
                self._pause(delay)
            else:
                self._is_retrying = False
                return result

    def _pause(self, seconds: float) -> None:
        if self._give_up.wait(seconds):
            raise WriteAbandoned

    def _observe_lag(self, events: list[Accepted]) -> None:
        now = self._now()
        newest = max(
            (item.event.created_at for item in events if item.event.created_at <= now), default=None
        )
        if newest is not None:
            metrics.LAG.set(now - newest)


def _event_row(accepted: Accepted) -> Row:
    event = accepted.event
    return (
        event.id,
        event.pubkey,
        event.created_at,
        event.kind,
        event.tags,
        event.content,
        event.sig,
        int(accepted.embedded),
    )


def _view_row(accepted: Accepted) -> Row:
    event = accepted.event
    return (event.id, event.pubkey, event.created_at, event.tags, event.content, event.sig)
