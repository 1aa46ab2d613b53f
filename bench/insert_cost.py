"""What our schema costs to write, against an earlier published one for the same service.

    python -m bench.insert_cost [--count N] [--rounds N]

The earlier one keeps one table of events with three projections that hold whole rows, and four
views that fill a flat table of tags and three counters (written here in our own words). Both are
filled in turns with the same events, in blocks of 5,000, on one embedded server. Processor time is
that of the server, merges included; what making the events up costs is measured with a table that
keeps nothing, and taken off. Bytes are those on disk after OPTIMIZE … FINAL.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.generated_site import BY_DEFAULT, COUNTERS, UNTIL, a_server, spread
from clickhouse_schema.generated import GENERATE_EVENTS
from funnel.clickhouse import Clickhouse
from funnel.sql import Query, parse_query
from tests.clickhouse_server import LocalServer

BLOCK_EVENTS = 5_000

COLUMNS = """
    id String, pubkey String, created_at UInt32, kind UInt16, tags Array(Array(String)),
    content String, sig String, embedded UInt8, inserted_at DateTime64(3, 'UTC')
"""
NOTHING = (f"CREATE TABLE events_local ({COLUMNS}) ENGINE = Null",)
COUNTER = "(video String, acts UInt64) ENGINE = SummingMergeTree ORDER BY video"
EARLIER = (
    f"""CREATE TABLE events_local (
        {COLUMNS},
        PROJECTION by_author (SELECT * ORDER BY (pubkey, created_at)),
        PROJECTION by_kind (SELECT * ORDER BY (kind, created_at)),
        PROJECTION by_time (SELECT * ORDER BY created_at)
    )
    ENGINE = ReplacingMergeTree
    ORDER BY id
    SETTINGS deduplicate_merge_projection_mode = 'rebuild'""",
    """CREATE TABLE tags_flat (
        event_id String, pubkey String, created_at UInt32, kind UInt16, name String, value String
    )
    ENGINE = MergeTree
    ORDER BY (name, value, created_at)""",
    """CREATE MATERIALIZED VIEW tags_flat_mv TO tags_flat AS
    SELECT id AS event_id, pubkey, created_at, kind, tag[1] AS name, tag[2] AS value
    FROM events_local ARRAY JOIN tags AS tag""",
    *(
        statement
        for name, kinds in (("likes", "7"), ("notes", "1, 1111"), ("shares", "6, 16"))
        for statement in (
            f"CREATE TABLE {name} {COUNTER}",
            f"""CREATE MATERIALIZED VIEW {name}_mv TO {name} AS
            SELECT tag[2] AS video, count() AS acts
            FROM events_local ARRAY JOIN tags AS tag
            WHERE kind IN ({kinds}) AND tag[1] = 'e'
            GROUP BY video""",
        )
    ),
)
GENERATE_BY_DEFAULT = parse_query(
    "bench.generate_by_default",
    f"{GENERATE_EVENTS.text}\n{BY_DEFAULT}",
)
TABLES = parse_query(
    "bench.tables",
    """-- Everything that holds rows.
    SELECT name
    FROM system.tables
    WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
    """,
)
BYTES = parse_query(
    "bench.bytes",
    """-- Bytes on disk, projections included.
    SELECT sum(bytes_on_disk) AS bytes
    FROM system.parts
    WHERE active AND database = currentDatabase() AND table != 'schema_migrations'
    """,
)


def created(server: LocalServer, database: str, statements: tuple[str, ...]) -> Clickhouse:
    """An empty database; without statements, with our schema."""
    if statements:
        of = server.settings(database)
        with contextlib.closing(Clickhouse(server.settings())) as door:
            door.command(f"CREATE DATABASE {database}")
    else:
        of = server.migrate(database)
    door = Clickhouse({**of, "query_seconds": 3600})
    for statement in statements:
        door.command(statement)
    return door


def insert(door: Clickhouse, query: Query, *, seed: int, count: int) -> float:
    """Inserts so many events in blocks; returns seconds of processor time."""
    made = {"seed": seed, "events": count, "until": UNTIL, "seconds": 365 * 86_400, "arrive": 1}
    before = door.select(COUNTERS, {})[0]["cpu_us"]
    for first in range(0, count, BLOCK_EVENTS):
        row_count = min(BLOCK_EVENTS, count - first)
        door.execute(query, made | {"first": first, "row_count": row_count})
    for table in door.select(TABLES, {}):
        door.command(f"OPTIMIZE TABLE {table['name']} FINAL")
    spent: int = door.select(COUNTERS, {})[0]["cpu_us"] - before
    return spent / 1_000_000


def measured(count: int, rounds: int) -> dict[str, Any]:
    schemas: dict[str, tuple[tuple[str, ...], Query]] = {
        "nothing": (NOTHING, GENERATE_EVENTS),
        "nothing_by_default": (NOTHING, GENERATE_BY_DEFAULT),
        "earlier": (EARLIER, GENERATE_BY_DEFAULT),
        "ours": ((), GENERATE_EVENTS),
    }
    cpu: dict[str, list[float]] = {name: [] for name in schemas}
    size: dict[str, list[float]] = {name: [] for name in schemas}
    with tempfile.TemporaryDirectory() as directory, a_server(Path(directory)) as server:
        for round_number in range(rounds):
            for name, (statements, query) in schemas.items():
                door = created(server, f"{name}_{round_number}", statements)
                spent = insert(door, query, seed=round_number, count=count)
                cpu[name].append(spent * 1_000_000 / count)
                size[name].append(door.select(BYTES, {})[0]["bytes"] / count)
                door.command(f"DROP DATABASE {name}_{round_number} SYNC")
                door.close()
    net = {
        name: [a - b for a, b in zip(cpu[name], cpu[making], strict=True)]
        for name, making in (("earlier", "nothing_by_default"), ("ours", "nothing"))
    }
    return {
        "events": count,
        "rounds": rounds,
        "cpu_seconds_per_million_events": {name: spread(values) for name, values in net.items()},
        "bytes_per_event": {name: spread(size[name], 0) for name in net},
        "ours_to_earlier_cpu": spread(
            [a / b for a, b in zip(net["ours"], net["earlier"], strict=True)]
        ),
        "ours_to_earlier_bytes": spread(
            [a / b for a, b in zip(size["ours"], size["earlier"], strict=True)]
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500_000, help="events of each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    result = measured(options.count, options.rounds)

    for name, value in result.items():
        print(f"{name:<32} {value}")
    file = Path(__file__).parent / "results" / "insert_cost.json"
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
