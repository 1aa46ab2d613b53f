"""How the cost of a pass of the projector grows with activity, and that it does not with history.

    python -m bench.projection [--events N] [--rounds N]

Fills two databases of one embedded server with made-up events, N and ten times N, and then lets
people react to some videos in each, in turns. A pass is timed from the first query to the last, by
the clock and by the processor time of ClickHouse, which other load on the machine moves less.

A video has ten events in both, and each pass touches as many videos in both. N has to be large
enough for the touched videos to lie in granules of their own there too: in a small database they
share them, and a pass costs less than it ever will again. In how many they lie is in the table.

A key is looked for in each part of a table. How many parts there are depends on how the merges of
the moment stand, not on how long the history is: so it is measured as ClickHouse leaves the parts
after both were filled with as many inserts, and after all were merged into one.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from bench.processes import cpu_seconds
from clickhouse_schema.projector import SQL, Projector
from clickhouse_schema.rebuild import Rebuild
from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query
from tests.clickhouse_server import LocalServer

NOW = 1_790_000_000
ACTIVITIES = (10, 100, 1000)
EVENTS_PER_VIDEO = 10
# Into so many inserts the history is divided, however long it is. A worker makes two a second;
# after a few inserts alone several parts are as large as the largest, which no history leaves.
HISTORY_INSERTS = 200
# A prime: its multiples, modulo how many videos there are, come to a video again after all others.
STRIDE = 7919

# Of ten events one is a video, seven are reactions, one a comment and one a repost. Ids
# are hashes of numbers: nothing here checks a signature.
HISTORY = parse_query(
    "bench.history",
    """-- Made-up events in a row.
    INSERT INTO events_local (id, pubkey, created_at, kind, tags, content, sig, embedded)
    WITH
        number % 10 AS turn,
        lower(hex(SHA256(concat('video ', toString(intDiv(number, 10)))))) AS video_d,
        lower(hex(SHA256(concat('author ', toString(intDiv(number, 100)))))) AS author,
        concat('34236:', author, ':', video_d) AS address
    SELECT
        lower(hex(SHA256(toString(number)))) AS id,
        if(turn = 0, author, lower(hex(SHA256(concat('p', toString(cityHash64(number) % 100000))))))
            AS pubkey,
        1780000000 + number % 9000000 AS created_at,
        multiIf(turn = 0, 34236, turn < 8, 7, turn < 9, 1111, 16) AS kind,
        multiIf(
            turn = 0, [
                ['d', video_d], ['title', concat('Video ', toString(number))], ['t', 'bench'],
                ['imeta', concat('url https://media.example/', video_d, '.mp4'), 'm video/mp4']
            ],
            turn < 8, [['e', lower(hex(SHA256(toString(number - turn))))], ['a', address]],
            turn < 9, [['A', address], ['K', '34236'], ['a', address], ['k', '34236']],
            [['k', '34236'], ['a', address]]
        ) AS tags,
        if(turn = 0, 'A video of the bench', '+') AS content,
        repeat('0', 128) AS sig,
        0 AS embedded
    FROM numbers({first:UInt64}, {events:UInt64})
    """,
)
# New people react, each to another video; `salt` makes each round's events and videos new.
ACTIVITY = parse_query(
    "bench.activity",
    """-- One reaction to each of so many videos.
    INSERT INTO events_local (id, pubkey, created_at, kind, tags, content, sig, embedded)
    WITH
        {salt:UInt64} * {reactions:UInt64} + number AS turn,
        turn * {stride:UInt64} % {videos:UInt64} AS video,
        lower(hex(SHA256(concat('video ', toString(video))))) AS video_d,
        lower(hex(SHA256(concat('author ', toString(intDiv(video, 10)))))) AS author
    SELECT
        lower(hex(SHA256(concat('a', toString({reactions:UInt64}), '-', toString(turn))))) AS id,
        lower(hex(SHA256(concat('n', toString({reactions:UInt64}), '-', toString(turn)))))
            AS pubkey,
        -- later than all that has been merged, as what is new is
        1789990000 + {salt:UInt64} AS created_at,
        7 AS kind,
        [
            ['e', lower(hex(SHA256(toString(video * 10))))],
            ['a', concat('34236:', author, ':', video_d)]
        ] AS tags,
        '+' AS content,
        repeat('0', 128) AS sig,
        0 AS embedded
    FROM numbers({reactions:UInt64})
    """,
)
MERGES = parse_query(
    "bench.merges", "-- Merges that run.\nSELECT count() AS merges FROM system.merges"
)
PARTS = parse_query(
    "bench.parts",
    """-- The parts of the tables, those first that have the most rows.
    SELECT table, count() AS parts
    FROM system.parts
    WHERE active AND database = currentDatabase() AND table NOT LIKE 'touched%'
    GROUP BY table
    ORDER BY sum(rows) DESC
    """,
)
GRANULES = parse_query(
    "bench.granules",
    """-- In how many granules the versions of the videos lie that a pass has touched.
    WITH (
        SELECT toUInt32(extract(engine_full, 'index_granularity = ([0-9]+)'))
        FROM system.tables
        WHERE database = currentDatabase() AND name = 'video_versions'
    ) AS granularity
    SELECT uniqExact(_part, intDiv(_part_offset, granularity)) AS granules
    FROM video_versions
    WHERE video_key IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'video')
    """,
)
REACTIONS = parse_query(
    "bench.reactions",
    """-- What the read model counts.
    SELECT sum(reactions) AS reactions FROM video_stats FINAL
    """,
)


def filled(server: LocalServer, database: str, events: int) -> tuple[Clickhouse, Projector]:
    """A database with so many events, all of them in the read model."""
    door = Clickhouse({**server.migrate(database), "query_seconds": 24 * 3600})
    chunk = -(-events // HISTORY_INSERTS)
    for first in range(0, events, chunk):
        door.execute(HISTORY, {"first": first, "events": min(chunk, events - first)})
    projector = Projector(door, insert_seconds=24 * 3600, lag_seconds=-1, one_server=True)
    Rebuild(door, projector, progress=silent, clock=lambda: NOW).rebuild_read_model()
    # The arrivals of the history have been taken in by that.
    projector.seen_until_ms = door.select(SQL["read_state"], {})[0]["server_ms"]
    projector.may_have_failed = False
    return door, projector


def silent(what: str, done: int, total: int) -> None:
    pass


def wait_for_merges(door: Clickhouse) -> None:
    """What the history left to be merged is no cost of a pass."""
    while door.select(MERGES, {})[0]["merges"]:
        time.sleep(0.2)


def measured(events: int, rounds: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        server = LocalServer(Path(directory))
        server.start()
        try:
            sizes = {"1x": events, "10x": 10 * events}
            stores = {name: filled(server, f"bench_{name}", size) for name, size in sizes.items()}
            for parts in ("as they are", "merged"):
                if parts == "merged":
                    merge(stores)
                rows += compared(server, stores, sizes, parts=parts, rounds=rounds)
            for door, _ in stores.values():
                assert door.select(REACTIONS, {})[0]["reactions"] > 0
        finally:
            server.stop()
    return rows


def merge(stores: dict[str, tuple[Clickhouse, Projector]]) -> None:
    for door, _ in stores.values():
        for row in door.select(PARTS, {}):
            door.command(f"OPTIMIZE TABLE {row['table']} FINAL")


def compared(
    server: LocalServer,
    stores: dict[str, tuple[Clickhouse, Projector]],
    sizes: dict[str, int],
    *,
    parts: str,
    rounds: int,
) -> list[dict[str, Any]]:
    """A row for each activity and size."""
    times: dict[tuple[str, int], list[float]] = {}
    processor: dict[tuple[str, int], list[float]] = {}
    granules: dict[tuple[str, int], list[int]] = {}
    assert server.process is not None
    pid = server.process.pid
    # How many parts the largest table has, which is that of what people do.
    counts = {name: door.select(PARTS, {})[0]["parts"] for name, (door, _) in stores.items()}
    for turn in range(rounds):
        for reactions in ACTIVITIES:
            for name, (door, projector) in stores.items():
                videos = sizes[name] // EVENTS_PER_VIDEO
                # Other videos than those of the rounds before.
                salt = turn + rounds * (parts == "merged")
                door.execute(
                    ACTIVITY,
                    {"salt": salt, "videos": videos, "reactions": reactions, "stride": STRIDE},
                )
                wait_for_merges(door)
                started, processed = time.perf_counter(), cpu_seconds(pid)
                projector.catch_up(now=NOW)
                for into, spent in (
                    (times, time.perf_counter() - started),
                    (processor, cpu_seconds(pid) - processed),
                ):
                    into.setdefault((name, reactions), []).append(spent)
                found = door.select(GRANULES, {"pass": projector.version})[0]["granules"]
                granules.setdefault((name, reactions), []).append(found)
    rows = []
    for reactions in ACTIVITIES:
        wall, cpu = (ratios(of, reactions) for of in (times, processor))
        for name, size in sizes.items():
            seconds, spent = sorted(times[name, reactions]), sorted(processor[name, reactions])
            rows.append(
                {
                    "parts": parts,
                    "largest_table_parts": counts[name],
                    "history_events": size,
                    "touched_videos": reactions,
                    "granules": round(statistics.median(granules[name, reactions])),
                    "pass_ms": [round(1000 * s, 1) for s in spread(seconds)],
                    "processor_ms": [round(1000 * s, 1) for s in spread(spent)],
                    "ms_per_video": round(1000 * statistics.median(seconds) / reactions, 3),
                    "ratio_10x_to_1x": [round(r, 2) for r in spread(wall)],
                    "processor_ratio_10x_to_1x": [round(r, 2) for r in spread(cpu)],
                }
            )
    return rows


def ratios(times: dict[tuple[str, int], list[float]], reactions: int) -> list[float]:
    """Of each round, in order of size."""
    rounds = zip(times["1x", reactions], times["10x", reactions], strict=True)
    return sorted(large / small for small, large in rounds)


def spread(values: list[float]) -> tuple[float, float, float]:
    return values[0], statistics.median(values), values[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    rows = measured(options.events, options.rounds)

    print(
        "parts | history events | touched videos | their granules | pass ms min/median/max"
        " | processor ms | 10x/1x by the clock | by processor time"
    )
    for row in rows:
        print(
            f"{row['parts']} ({row['largest_table_parts']}) |"
            f" {row['history_events']:>14,} | {row['touched_videos']:>14} | {row['granules']:>14} |"
            f" {'/'.join(map(str, row['pass_ms'])):>22} |"
            f" {'/'.join(map(str, row['processor_ms']))} |"
            f" {'/'.join(map(str, row['ratio_10x_to_1x']))} |"
            f" {'/'.join(map(str, row['processor_ratio_10x_to_1x']))}"
        )
    results = Path(__file__).parent / "results" / "projection.json"
    results.parent.mkdir(exist_ok=True)
    # Those of other sizes stay.
    known = json.loads(results.read_text()) if results.exists() else {}
    known[f"{options.events} and ten times as many"] = rows
    results.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
