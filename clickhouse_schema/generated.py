"""Made-up events for measurements: a busy service's kinds, sizes and skew, straight to the tables.

The server makes them up out of their numbers, so that nothing but the query goes over the wire.
Every 50th is a video; few videos get most of what is done, and most of it soon after they came. Ids
and signatures are hashes of numbers: nobody has signed them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from clickhouse_schema.door import Door
from funnel.sql import load_query

GENERATE_EVENTS = load_query(__file__, "generate_events")
GENERATE_VIEW_EVENTS = load_query(__file__, "generate_view_events")
FIND_SIGNED_EVENTS = load_query(__file__, "find_signed_events")

# Large blocks make few parts; what an insert holds in memory stays below some hundred MB.
CHUNK_EVENTS = 100_000
# One in four is a view event.
VIEW_SHARE = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Generated:
    """A set of events; equal ones are the same events.

    count: how many, view events included. until: the Unix second of the latest. days: how far back
    the first video lies. arrive: whether the projector takes notice of them.
    """

    count: int
    seed: int
    until: int
    days: int
    arrive: bool = False

    def insert(self, door: Door, *, progress: Callable[[str, int, int], None]) -> None:
        """Stores them; what is there already changes nothing. Raises the door's errors."""
        views = self.count // VIEW_SHARE
        events = self.count - views
        made: dict[str, Any] = {
            "seed": self.seed,
            "events": events,
            "until": self.until,
            "seconds": self.days * 86_400,
            "arrive": int(self.arrive),
        }
        done = 0
        for query, total in ((GENERATE_EVENTS, events), (GENERATE_VIEW_EVENTS, views)):
            for first in range(0, total, CHUNK_EVENTS):
                row_count = min(CHUNK_EVENTS, total - first)
                door.execute(query, made | {"first": first, "row_count": row_count})
                done += row_count
                progress("events", done, self.count)


def has_signed_events(door: Door) -> bool:
    """Whether there is any event that was not made here."""
    return bool(door.select(FIND_SIGNED_EVENTS, {})[0]["found"])
