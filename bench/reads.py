"""What answers that are kept cost, against joining and counting when they are asked for.

    python -m bench.reads [--count N] [--rounds N]

"At query time" is what a service does that keeps what people do by kind and time: stats are joined
from reactions, comments and reposts, each counted per target, and trending sorts the result. Both
sides ask one embedded ClickHouse with the same events, in turns. It counts less exactly than our
rules do (no deletions, no votes), which is to its advantage.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.generated_site import BY_DEFAULT, UNTIL, a_server, ask_there, cost, filled, one, spread
from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query
from videos import queries
from videos.queries import Filters

KINDS = (21, 22, 34235, 34236)

COUNTED = """
    SELECT
        versions.id AS id,
        versions.video_key AS video_key,
        versions.created_at AS created_at,
        reactions.people AS reactions,
        comments.events AS comments,
        reposts.people AS reposts
    FROM versions_by_id AS versions
    LEFT JOIN (
        SELECT target, uniqExact(actor) AS people
        FROM acts_by_time WHERE relation = 'reaction' GROUP BY target
    ) AS reactions ON versions.id = reactions.target
    LEFT JOIN (
        SELECT target, uniqExact(event_id) AS events
        FROM acts_by_time WHERE relation = 'comment' GROUP BY target
    ) AS comments ON versions.id = comments.target
    LEFT JOIN (
        SELECT target, uniqExact(actor) AS people
        FROM acts_by_time WHERE relation = 'repost' GROUP BY target
    ) AS reposts ON versions.id = reposts.target
"""
# What the joins read: the acts of our table, in the order in which they come, and the versions,
# with the statistics by which ClickHouse orders joins.
JOINED = (
    """CREATE TABLE versions_by_id (id String, video_key String, created_at UInt32)
    ENGINE = MergeTree
    ORDER BY id""",
    """INSERT INTO versions_by_id SELECT id, video_key, created_at FROM video_versions""",
    """CREATE TABLE acts_by_time (
        relation LowCardinality(String), created_at UInt32, event_id String, target String,
        actor String
    )
    ENGINE = MergeTree
    ORDER BY (relation, created_at, event_id)""",
    """INSERT INTO acts_by_time
    SELECT relation, created_at, event_id, target, actor FROM engagement""",
)
STATS_AT_QUERY_TIME = parse_query(
    "bench.stats_at_query_time",
    f"-- One video's counts, joined.\n{COUNTED} WHERE versions.id = {{id:String}} {BY_DEFAULT}",
)
TRENDING_AT_QUERY_TIME = parse_query(
    "bench.trending_at_query_time",
    f"""-- The best of 30 days, joined.
    SELECT id FROM ({COUNTED})
    WHERE created_at >= {{now:UInt32}} - 30 * 86400
    ORDER BY
        (reactions + 2 * comments + 3 * reposts)
            * exp(-(toInt64({{now:UInt32}}) - created_at) / 3600 / 168) DESC
    LIMIT 21
    {BY_DEFAULT}
    """,
)


def measured(count: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, a_server(Path(directory)) as server:
        of = filled(server, "reads", count)
        writer = Clickhouse({**of, "query_seconds": 3600})
        for statement in JOINED:
            writer.command(statement)
        writer.close()
        door = ask_there(of)
        ids: list[str] = one(
            door,
            "SELECT groupArray(id) FROM (SELECT id FROM video_stats FINAL WHERE live"
            " ORDER BY cityHash64(id) LIMIT 200)",
        )
        reactions = one(door, "SELECT count() FROM acts_by_time WHERE relation = 'reaction'")
        dice = random.Random(1)
        pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "stats by id": (
                lambda: queries.video_by_reference(dice.choice(ids), now=UNTIL),
                lambda: door.select(STATS_AT_QUERY_TIME, {"id": dice.choice(ids)}),
            ),
            "trending": (
                lambda: queries.feed("trending", Filters(kinds=KINDS), now=UNTIL, row_limit=20),
                lambda: door.select(TRENDING_AT_QUERY_TIME, {"now": UNTIL}),
            ),
        }
        result: dict[str, Any] = {"events": count, "reactions": reactions, "rounds": rounds}
        for name, (ours, theirs) in pairs.items():
            for ask in (ours, theirs):
                cost(door, ask)  # warms up
            turns = [(cost(door, ours), cost(door, theirs)) for _ in range(rounds)]
            result[name] = {
                "ms_kept": spread([a.ms for a, _ in turns]),
                "ms_at_query_time": spread([b.ms for _, b in turns]),
                "times_faster": spread([b.ms / a.ms for a, b in turns]),
                "rows_kept": spread([a.rows for a, _ in turns], 0),
                "rows_at_query_time": spread([b.rows for _, b in turns], 0),
                "times_fewer_rows": spread([b.rows / max(a.rows, 1) for a, b in turns]),
            }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    result = measured(options.count, options.rounds)

    print(
        f"{result['events']:,} events, {result['reactions']:,} targets of reactions; min/median/max"
    )
    for name in ("stats by id", "trending"):
        for measure, values in result[name].items():
            print(f"{name:<12} {measure:<20} {' / '.join(map(str, values))}")
    file = Path(__file__).parent / "results" / "reads.json"
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
