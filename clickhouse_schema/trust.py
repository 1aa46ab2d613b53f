"""Everybody's standing: who is trusted by the seeds, over follows of follows (ADR 0018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_schema.door import Door
from funnel.sql import load_query

# So many follows away from a seed nobody has any standing.
TRUST_HOPS = 2

SQL = {
    name: load_query(__file__, name)
    for name in (
        "count_trusting",
        "reach_seeds",
        "reach_followed",
        "touch_trusted",
        "project_trust_weights",
    )
}


class Trust:
    """seeds: pubkeys from which standing spreads over follow lists, `hops` follows far."""

    def __init__(self, door: Door, *, seeds: Sequence[str] = (), hops: int = TRUST_HOPS) -> None:
        self.door = door
        self.seeds = list(seeds)
        self.hops = hops
        # Whether the follow lists have been gone over from these seeds.
        self.has_followed = False

    def has_to_follow(self, this: dict[str, Any], *, lists: bool) -> bool:
        """Whether the follow lists have to be gone over: once after the start, for the seeds may be
        others now, and where one that matters is among the touched `lists`.
        """
        if not self.seeds or not self.has_followed:
            return bool(self.seeds)
        asked = this | {"trust_seeds": self.seeds, "trust_hops": self.hops}
        return lists and self.door.select(SQL["count_trusting"], asked)[0]["lists"] > 0

    def reach(self, this: dict[str, Any]) -> None:
        """Finds everybody whom the seeds reach, and over how many follows."""
        self.door.execute(SQL["reach_seeds"], this | {"trust_seeds": self.seeds})
        for hops in range(1, self.hops + 1):
            self.door.execute(SQL["reach_followed"], this | {"reach": hops})

    def touch(self, this: dict[str, Any]) -> None:
        """Touches the acts of those who are reached otherwise than they were."""
        self.door.execute(SQL["touch_trusted"], this)

    def write(self, this: dict[str, Any]) -> None:
        """Writes the standing of all who are reached."""
        self.door.execute(SQL["project_trust_weights"], this)
        self.has_followed = True
