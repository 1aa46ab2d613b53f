"""Whether what is trending can be bought, and what it costs to keep trust current.

    python -m bench.trust [--people N] [--keys N]

Fills an embedded server with a made-up month of videos, of which nine in ten people are followed by
somebody, then lets new keys react to thirteen videos each. A list's recall is how many of the
hundred that led the plain list before the keys came are among its first hundred.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query
from tests.clickhouse_server import LocalServer
from tests.sybils import World, insert, row_of_follows

NOW = 1_790_000_000
TOP = 100
ROUNDS = 5
TRENDING = parse_query(
    "bench.trending",
    """-- The order of the trending videos, and what each trends by.
    SELECT video_key
    FROM videos(now = {now:UInt32})
    WHERE toInt64(published_at) >= toInt64({now:UInt32}) - 30 * 86400
    ORDER BY
        if({trusted:Bool}, trusted_score, plain_score)
            * exp(-(toInt64({now:UInt32}) - toInt64(published_at)) / 604800) DESC,
        published_at DESC,
        id ASC
    """,
)


class Measurement:
    """One world, with seeds or without any."""

    def __init__(self, door: Clickhouse, world: World, *, seeded: bool) -> None:
        self.door = door
        self.world = world
        self.projector = Projector(
            door,
            trust_seeds=world.seeds if seeded else (),
            insert_seconds=3600,
            lag_seconds=-1,
        )

    def order(self, *, trusted: bool) -> list[str]:
        rows = self.door.select(TRENDING, {"now": NOW, "trusted": trusted})
        return [row["video_key"] for row in rows]

    def seconds(self) -> float:
        started = time.perf_counter()
        self.projector.catch_up(now=NOW)
        return time.perf_counter() - started

    def run(self) -> dict[str, Any]:
        insert(self.door, self.world.honest_events())
        filling = self.seconds()
        honest = set(self.order(trusted=False)[:TOP])
        before = self.order(trusted=True)
        insert(self.door, self.world.bought_events())
        attack = self.seconds()
        after, plain = self.order(trusted=True), self.order(trusted=False)
        places = {key: place for place, key in enumerate(before)}
        result = {
            "videos": len(before),
            "videos_moved": sum(places[key] != place for place, key in enumerate(after)),
            "recall": len(honest & set(after[:TOP])) / len(honest),
            "plain_recall": len(honest & set(plain[:TOP])) / len(honest),
            "bought_in_plain_top": len(self.world.lifted_videos & set(plain[:TOP])),
            "filling_seconds": round(filling, 2),
            "attack_seconds": round(attack, 2),
        }
        # A seed follows somebody else each time: everybody's standing is computed again.
        follow_ms = []
        for number in range(ROUNDS):
            insert(self.door, [row_of_follows(self.world, number)])
            follow_ms.append(round(1000 * self.seconds(), 1))
        return result | {"follow_ms": sorted(follow_ms)}


def measured(world: World) -> dict[str, dict[str, Any]]:
    results = {}
    with tempfile.TemporaryDirectory() as directory:
        server = LocalServer(Path(directory))
        server.start()
        try:
            for name, seeded in (("with seeds", True), ("without seeds", False)):
                settings = server.migrate(f"bench_{name.replace(' ', '_')}")
                door = Clickhouse({**settings, "query_seconds": 300})
                results[name] = Measurement(door, world, seeded=seeded).run()
        finally:
            server.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--keys", type=int, default=6_000)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    world = World(
        now=NOW,
        people=options.people,
        videos=options.people // 2,
        acts=30 * options.people,
        keys=options.keys,
    )

    results = measured(world)

    for name, value in itertools.chain.from_iterable(
        [(f"{name}: {what}", value) for what, value in result.items()]
        for name, result in results.items()
    ):
        print(f"{name:>40} | {value}")
    path = Path(__file__).parent / "results" / "trust.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    failed = [
        name for name, result in results.items() if result["videos_moved"] or result["recall"] < 0.9
    ]
    if failed:
        sys.exit(f"Trending was bought or forgot who is honest: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
