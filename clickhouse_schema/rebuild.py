"""Computes every fact and the read model again, from the raw events alone.

The facts of a table are computed into a table beside it, slice by slice of the event ids, and the
two change places at once, so that no question ever finds a table half full. What has arrived in the
meantime is computed right after that; it is missing for that moment. A rebuild that was interrupted
has to be run again, from the start.

Arrivals are bookkeeping and no facts; barriers and erasures are kept as they are.
"""

from __future__ import annotations

import dataclasses
import graphlib
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from clickhouse_schema.projector import Projector
from clickhouse_schema.read_model import EVENT_TABLES, READ_MODEL
from funnel.clickhouse import NAME, Clickhouse
from funnel.sql import load_query

log = structlog.get_logger(__name__)

SQL = {
    name: load_query(__file__, name)
    for name in (
        "find_fact_views",
        "find_leftovers",
        "count_rows",
        "read_clock",
        "count_erased_since",
        "erase_again",
        "record_all_due",
        "count_keys",
        "erase_stale_rows",
    )
}

RAW_TABLES = ("events_local", "view_events_local")
# When an event arrived is no fact: it cannot be computed. Nor can where a video has stood before.
KEPT_TABLES = ("arrivals", "video_places")
ID_COLUMNS = dict(EVENT_TABLES)
# A slice is the ids that begin alike. About so many events are read at once at most, unless there
# are so many that 256 slices are not enough.
SLICE_EVENTS = 1_000_000
HEX = "0123456789abcdef"
# A pass has named what it erases at most that long after it began.
TOUCH_US = 3600 * 1_000_000


class Progress(Protocol):
    """Is told what is at work and how much of it is done: from 0 to `total`."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class FactView:
    """A materialized view: what it reads, the table that it fills, its columns and its question."""

    view: str
    source: str
    table: str
    columns: tuple[str, ...]
    as_select: str

    def __post_init__(self) -> None:
        for name in (self.view, self.source, self.table, *self.columns):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a table or column.")


class Rebuild:
    """One rebuild. `door` has to be patient: its statements read whole tables.

    clock: the Unix second now. slice_events: how many events one statement reads at most. A second
    rebuild at the same time ends this one with an error, and harms no table in use.
    Every method raises ClickhouseError.
    """

    def __init__(
        self,
        door: Clickhouse,
        projector: Projector,
        *,
        progress: Progress,
        clock: Callable[[], int],
        slice_events: int = SLICE_EVENTS,
    ) -> None:
        self.door = door
        self.projector = projector
        self.progress = progress
        self.clock = clock
        self.slice_events = slice_events
        self.number = now_us()
        self.views: list[FactView] = []
        # Events of each raw table; those that the views have read, and have to read together.
        self.events: dict[str, int] = {}
        self.done = self.total = 0

    def run(self) -> None:
        for leftover in self.door.select(SQL["find_leftovers"], {}):
            self.drop(leftover["name"])
        self.rebuild_facts()
        self.rebuild_read_model()
        # What arrived before the facts were complete, if nobody else has taken it in.
        self.projector.catch_up(now=self.clock())

    # --- Facts ------------------------------------------------------------------------------------

    def rebuild_facts(self) -> None:
        """Fills every table that materialized views fill, those that others read first."""
        self.views = self.read_views()
        self.events = {table: self.count(table) for table in RAW_TABLES}
        self.done, self.total = 0, sum(self.events.get(view.source, 0) for view in self.views)
        self.progress("facts", self.done, self.total)
        for table in in_order(self.views):
            self.rebuild_table(table)

    def read_views(self) -> list[FactView]:
        rows = self.door.select(SQL["find_fact_views"], {})
        views = [FactView(**row | {"columns": tuple(row["columns"])}) for row in rows]
        return [view for view in views if view.table not in KEPT_TABLES]

    def views_into(self, table: str) -> list[FactView]:
        return [view for view in self.views if view.table == table]

    def count(self, table: str) -> int:
        rows: int = self.door.select(SQL["count_rows"], {"table": table})[0]["rows"]
        return rows

    def rebuild_table(self, table: str) -> None:
        beside = f"{table}_rebuild_{self.number}"
        since_us = now_us()
        # An insert that is under way has its time of arrival from before.
        server_ms = self.door.select(SQL["read_clock"], {})[0]["server_ms"]
        since_ms = server_ms - self.projector.settle_ms
        self.door.command(f"CREATE TABLE {beside} AS {table}")
        for view in self.views_into(table):
            events = self.events.get(view.source, 0)
            prefixes = slices(events, self.slice_events)
            for index, prefix in enumerate(prefixes, start=1):
                self.fill(beside, view, only=f"startsWith(id, '{prefix}')" if prefix else "")
                # Between slices, because it is not remembered for long what was erased.
                since_us = self.erase_again(beside, as_in=table, since_us=since_us)
                self.progress("facts", self.done + events * index // len(prefixes), self.total)
            self.done += events
        self.door.command(f"EXCHANGE TABLES {beside} AND {table}")
        # Waits for the inserts that still write into what was the table until now.
        self.drop(beside)
        self.take_in(table, since_ms=since_ms, since_us=since_us)
        log.info("facts_rebuilt", table=table, rows=self.count(table))

    def take_in(self, table: str, *, since_ms: int, since_us: int) -> None:
        """Computes what has arrived since then for a table in use.

        What is read from another table of facts comes by itself when that one is written. since_ms:
        milliseconds since 1970 by the server's clock; since_us: as in erase_again.
        """
        for view in self.views_into(table):
            if view.source in RAW_TABLES:
                arrived = f"inserted_at >= fromUnixTimestamp64Milli({since_ms:d}, 'UTC')"
                self.fill(table, view, only=arrived)
            else:
                self.take_in(view.source, since_ms=since_ms, since_us=since_us)
        self.erase_again(table, as_in=table, since_us=since_us)

    def fill(self, table: str, view: FactView, *, only: str = "") -> None:
        """Writes the view's answer into a table. only: a condition for the rows of its source."""
        columns = ", ".join(view.columns)
        settings = "insert_deduplicate = 0"
        if only:
            # Nothing but numbers and HEX is put into it; the engine puts it inside of the question.
            condition = only.replace("'", "''")
            settings += f", additional_table_filters = {{'{view.source}': '{condition}'}}"
        self.door.command(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({view.as_select})"
            f" SETTINGS {settings}"
        )

    def erase_again(self, table: str, *, as_in: str, since_us: int) -> int:
        """Erases what the projector has erased since then: it may have been read before that.

        Times are in microseconds since 1970. Returns the one up to which that is done.
        """
        checked_us = now_us()
        since = {"since": since_us - TOUCH_US}
        id_column = ID_COLUMNS.get(as_in)
        if id_column and self.door.select(SQL["count_erased_since"], since)[0]["erased"]:
            of = {"table": table, "id_column": id_column}
            self.door.execute(SQL["erase_again"], since | of)
        return checked_us

    def drop(self, table: str) -> None:
        # A server refuses to drop what is larger than 50 GB otherwise.
        self.door.command(f"DROP TABLE IF EXISTS {table} SYNC SETTINGS max_table_size_to_drop = 0")

    # --- Read model -------------------------------------------------------------------------------

    def rebuild_read_model(self) -> None:
        """Computes every row of the read model again; those that nothing stands for go."""
        self.projector.carry_out_erasures(now=self.clock())
        self.door.execute(SQL["record_all_due"], {"now": self.clock()})
        for part in READ_MODEL:
            keyed = {"table": part.facts, "key_column": part.key_column}
            total = self.door.select(SQL["count_keys"], keyed)[0]["keys"]
            first = self.projector.begin_pass()
            done, chunk = 0, None
            while chunk is None or chunk.keys:
                self.progress(f"{part.what}s", done, max(done, total))
                after_key = chunk.until_key if chunk else ""
                chunk = self.projector.reproject(part, after_key=after_key, now=self.clock())
                done += chunk.keys
            for table in (*part.tables, *part.bookkeeping):
                self.door.execute(SQL["erase_stale_rows"], first | {"table": table})
            if part.what == "list":
                self.projector.compute_trust()


def slices(events: int, slice_events: int) -> list[str]:
    """Prefixes that divide ids, which are hashes, into parts of about so many events at most."""
    length = next((n for n in (0, 1) if events <= slice_events * 16**n), 2)
    return ["".join(digits) for digits in itertools.product(HEX, repeat=length)]


def in_order(views: Sequence[FactView]) -> list[str]:
    """The tables that the views fill, each after those that it is read from."""
    sources: dict[str, set[str]] = {}
    for view in views:
        sources.setdefault(view.table, set()).add(view.source)
    order = graphlib.TopologicalSorter(sources).static_order()
    return [table for table in order if table in sources]


def now_us() -> int:
    return time.time_ns() // 1000
