"""An embedded ClickHouse filled with made-up events, and what a question costs there."""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from clickhouse_schema.generated import Generated
from clickhouse_schema.projector import Projector
from clickhouse_schema.rebuild import Rebuild
from funnel.clickhouse import Clickhouse, ClickhouseSettings, connections
from funnel.sql import Query, parse_query
from tests.clickhouse_server import LocalServer

# Read when a setting is first asked for.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

UNTIL = 1_790_000_000
# As ClickHouse plans by itself, for what we are compared with: what our connections set suits many
# views and few rows.
BY_DEFAULT = (
    "SETTINGS compile_expressions = 1, query_plan_merge_expressions = 1,"
    " merge_tree_coarse_index_granularity = 8"
)

COUNTERS = parse_query(
    "bench.counters",
    """-- Rows read and microseconds of processor time of the server so far.
    SELECT
        sumIf(value, event = 'SelectedRows') AS rows,
        sumIf(value, event = 'OSCPUVirtualTimeMicroseconds') AS cpu_us
    FROM system.events
    """,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Of one question: wall milliseconds, and rows that ClickHouse read for it."""

    ms: float
    rows: int


def silent(what: str, done: int, total: int) -> None:
    pass


@contextmanager
def a_server(directory: Path) -> Iterator[LocalServer]:
    server = LocalServer(directory)
    server.start()
    try:
        yield server
    finally:
        if "reader" in connections.doors:
            connections.doors.pop("reader").close()
        server.stop()


def filled(server: LocalServer, database: str, events: int) -> ClickhouseSettings:
    """A database with the schema and so many events, all of them in the answers."""
    of = server.migrate(database)
    door = Clickhouse({**of, "query_seconds": 24 * 3600})
    try:
        Generated(count=events, seed=1, until=UNTIL, days=365).insert(door, progress=silent)
        projector = Projector(door)
        rebuild = Rebuild(door, projector, progress=silent, clock=lambda: UNTIL)
        rebuild.rebuild_read_model()
    finally:
        door.close()
    return of


def ask_there(of: ClickhouseSettings) -> Clickhouse:
    """Has the API's questions asked of this database; returns its door."""
    settings.CLICKHOUSE["reader"].update({**of, "query_seconds": 600})
    if "reader" in connections.doors:
        connections.doors.pop("reader").close()
    return connections["reader"]


def cost(door: Clickhouse, ask: Any) -> Cost:
    before = door.select(COUNTERS, {})[0]["rows"]
    started = time.perf_counter()
    ask()
    ms = 1000 * (time.perf_counter() - started)
    # Less what reading the counters reads.
    return Cost(ms, int(door.select(COUNTERS, {})[0]["rows"] - before))


def spread(values: list[float], digits: int = 2) -> list[float]:
    """Minimum, median, maximum."""
    return [round(v, digits) for v in (min(values), statistics.median(values), max(values))]


def one(door: Clickhouse, text: str) -> Any:
    """The only value of an answer. text: SQL of the bench itself."""
    query: Query = parse_query("bench.one", f"-- A value.\n{text}")
    return next(iter(door.select(query, {})[0].values()))
