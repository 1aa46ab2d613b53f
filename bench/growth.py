"""Whether an answer costs more when there is ten times the history.

    python -m bench.growth [--count N] [--rounds N]

Fills two databases of one embedded server with N/10 and N made-up events of one year, and asks the
same questions of both, in turns, through the functions that the API calls. Milliseconds hold
ClickHouse, the driver and the wire; rows are what ClickHouse read.

Each part of a table is asked for each key, and how many there are depends on how the merges of the
moment stand: so it is measured as ClickHouse leaves them, and with all parts merged into one.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics import queries as analytics
from bench.generated_site import UNTIL, a_server, ask_there, cost, filled, one, spread
from funnel.clickhouse import Clickhouse
from videos import queries
from videos.queries import Filters

KINDS = (21, 22, 34235, 34236)
# What the answers are read from.
ASKED = ("listed_videos", "video_stats", "video_aliases", "user_profiles", "playbacks_by_time")


def questions(door: Clickhouse) -> dict[str, Callable[[], Any]]:
    """What is asked, by name; of authors and videos that both databases have alike in rank."""
    ids = door_column(
        door,
        "SELECT groupArray(id) FROM (SELECT id FROM video_stats FINAL"
        " WHERE live ORDER BY cityHash64(id) LIMIT 200)",
    )
    authors = door_column(
        door,
        "SELECT groupArray(pubkey) FROM (SELECT pubkey FROM video_stats FINAL"
        " WHERE live GROUP BY pubkey HAVING count() BETWEEN 3 AND 60"
        " ORDER BY cityHash64(pubkey) LIMIT 200)",
    )
    dice = random.Random(1)

    def feed(sort: str, **filters: Any) -> Callable[[], Any]:
        return lambda: queries.feed(sort, Filters(kinds=KINDS, **filters), now=UNTIL, row_limit=20)

    return {
        "by id": lambda: queries.video_by_reference(dice.choice(ids), now=UNTIL),
        "author": lambda: feed("recent", author=dice.choice(authors))(),
        "recent": feed("recent"),
        "trending": feed("trending"),
        "popular": feed("popular"),
        "hashtag": feed("recent", hashtags=("comedy",)),
        "watching": feed("watching"),
        "hashtags": lambda: analytics.hashtags(
            now=UNTIL, text="", by_trend=False, row_limit=20, row_offset=0
        ),
        "creators": lambda: analytics.top_creators(now=UNTIL, row_limit=20, row_offset=0),
        "leaderboard": lambda: analytics.leaderboard_videos(
            now=UNTIL, since=0, row_limit=20, row_offset=0
        ),
        "totals": lambda: analytics.totals(now=UNTIL),
    }


def door_column(door: Clickhouse, text: str) -> list[str]:
    found: list[str] = one(door, text)
    return found


def measured(count: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, a_server(Path(directory)) as server:
        stores = {size: filled(server, f"growth_{size}", size) for size in (count // 10, count)}
        asked = {size: questions(ask_there(of)) for size, of in stores.items()}
        as_they_are = compared(stores, asked, rounds)
        for of in stores.values():
            door = ask_there(of)
            for table in ASKED:
                door.command(f"OPTIMIZE TABLE {table} FINAL")
        merged = compared(stores, asked, rounds)
    return {
        "events": list(stores),
        "rounds": rounds,
        "questions": as_they_are,
        "questions_of_merged_parts": merged,
    }


def compared(
    stores: dict[int, Any], asked: dict[int, dict[str, Callable[[], Any]]], rounds: int
) -> dict[str, Any]:
    """What each question costs of the smaller and of the larger database."""
    times: dict[str, dict[int, list[float]]] = {}
    rows: dict[str, dict[int, list[float]]] = {}
    for round_number in range(rounds + 1):
        for size, of in stores.items():
            door = ask_there(of)
            for name, ask in asked[size].items():
                spent = cost(door, ask)
                if round_number:  # the first one warms up
                    times.setdefault(name, {}).setdefault(size, []).append(spent.ms)
                    rows.setdefault(name, {}).setdefault(size, []).append(spent.rows)
    small, large = stores
    return {
        name: {
            "ms_small": spread(times[name][small]),
            "ms_large": spread(times[name][large]),
            "p50_ratio": round(
                statistics.median(times[name][large]) / statistics.median(times[name][small]), 2
            ),
            "rows_small": spread(rows[name][small], 0),
            "rows_large": spread(rows[name][large], 0),
        }
        for name in times
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000_000, help="of the larger database")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()

    result = measured(options.count, options.rounds)

    print(f"events {result['events']}; ms and rows are min/median/max")
    for parts in ("questions", "questions_of_merged_parts"):
        print(parts)
        for name, row in result[parts].items():
            print(
                f"{name:<12} p50 ratio {row['p50_ratio']:<5}"
                f" ms {row['ms_small']} -> {row['ms_large']}"
                f" rows {row['rows_small']} -> {row['rows_large']}"
            )
    file = Path(__file__).parent / "results" / "growth.json"
    file.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
