"""Keeps the read model equal to the facts: computes again what arrivals and time have touched.

One pass takes what is new, finds the videos, lists and profiles that it concerns, and computes
their rows from the facts as if nothing had been there before. It never adds to a number, so a pass
that is repeated, interrupted or run by two workers at once ends at the same rows.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from funnel.nostr import Kind
from funnel.sql import Query, load_query

log = structlog.get_logger(__name__)

# At most so many events a pass, so that no pass is long; ties in arrival time come along.
CHUNK_EVENTS = 20_000
# An arrival is looked at as soon as its insert should be complete in every table …
LAG_SECONDS = 0.2
# … and once more when no insert of that time can still be under way.
SETTLE_MARGIN_SECONDS = 15

SQL = {
    name: load_query(__file__, name)
    for name in (
        "read_state",
        "write_state",
        "next_arrivals",
        "touch_arrivals",
        "next_due",
        "touch_due",
        "touch_unfinished",
        "touch_deleted_events",
        "touch_lists",
        "touch_profiles",
        "touch_videos",
        "touch_deleted_videos",
        "touch_listed_videos",
        "touch_targets",
        "count_touched",
        "record_due",
        "raise_barriers",
        "pending_erasures",
        "touch_erased_events",
        "touch_erased_people",
        "erase_events",
        "erase_people",
        "record_erasures",
        "find_lists",
        "project_list_entries",
        "project_lists",
        "project_profiles",
        "project_videos",
    )
}

# Kinds whose current version is a list of people or videos (NIP-02, NIP-51).
LIST_KINDS = (Kind.FOLLOWS, Kind.BOOKMARKS, Kind.BOOKMARK_SET, Kind.CURATION_SET)

# Every table that holds something of an event, with the column of its id.
EVENT_TABLES = (
    ("arrivals", "id"),
    ("due", "id"),
    ("engagement", "event_id"),
    ("engagement_targets", "event_id"),
    ("playbacks", "event_id"),
    ("playback_targets", "event_id"),
    ("deletions", "event_id"),
    ("video_versions", "id"),
    ("video_aliases", "id"),
    ("profile_versions", "id"),
    ("list_versions", "id"),
    ("events_by_kind", "id"),
    ("events_by_author", "id"),
    ("view_events_local", "id"),
    # Last: what is missing elsewhere can be found from here again after an interruption.
    ("events_local", "id"),
)
# Every table of the read model that holds something of a person.
PEOPLE_TABLES = ("video_stats", "current_lists", "list_entries", "user_profiles")


class Door(Protocol):
    """What the projector asks of funnel.clickhouse."""

    def select(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]: ...

    def execute(self, query: Query, params: dict[str, Any]) -> None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Arrivals up to `until_ms` that a pass takes in, and the kinds among them."""

    until_ms: int
    events: int = 0
    kinds: frozenset[int] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Pass:
    """What a pass did: events looked at, seconds it took, whether more is waiting."""

    events: int
    seconds: float
    more: bool


class Projector:
    """Runs passes.

    own_relays: the places that a request to vanish may name (NIP-62), as funnel.nostr.relay_place.
    zap_signers: pubkeys of payment servers whose receipts count as verified (NIP-57).
    insert_seconds: how long an insert may take at most.
    """

    def __init__(
        self,
        door: Door,
        *,
        own_relays: Sequence[str] = (),
        zap_signers: Sequence[str] = (),
        insert_seconds: float = 60,
        lag_seconds: float = LAG_SECONDS,
    ) -> None:
        self.door = door
        self.own_relays = list(own_relays)
        self.zap_signers = list(zap_signers)
        self.settle_ms = round(1000 * (insert_seconds + SETTLE_MARGIN_SECONDS))
        self.lag_ms = round(1000 * lag_seconds)
        # Arrivals seen once; after a restart everything that has not settled is looked at again.
        self.seen_until_ms = 0
        # Whether a pass before this one may have ended in the middle.
        self.may_have_failed = True

    def run_pass(self, *, now: int) -> Pass:
        """Takes in one chunk of what is new at Unix second `now`.

        Raises the door's errors; what was touched is then taken up by the next pass.
        """
        started = time.monotonic()
        state = self.door.select(SQL["read_state"], {})[0]
        this = {"pass": max(time.time_ns() // 1000, state["version"] + 1)}
        seen_until_ms = max(self.seen_until_ms, state["settled_until_ms"])
        fresh = self.take_arrivals(
            this, after_ms=seen_until_ms, until_ms=state["server_ms"] - self.lag_ms
        )
        settled = self.take_arrivals(
            this,
            after_ms=state["settled_until_ms"],
            until_ms=min(state["server_ms"] - self.settle_ms, seen_until_ms),
        )
        due = {"after": state["due_until"], "now": now}
        due_events = self.door.select(SQL["next_due"], due)[0]["events"]
        if due_events:
            self.door.execute(SQL["touch_due"], this | due)
        resumes, self.may_have_failed = self.may_have_failed, True
        if resumes:
            self.door.execute(SQL["touch_unfinished"], this | {"completed": state["version"]})
        events = fresh.events + settled.events + due_events
        if events or resumes:
            # Of what falls due and of what an earlier pass left the kinds are not known.
            kinds = None if due_events or resumes else fresh.kinds | settled.kinds
            self.project(this, now=now, kinds=kinds, barriers=state["barriers"])
        if events or resumes or now > state["due_until"]:
            self.door.execute(
                SQL["write_state"],
                this
                | {
                    "settled_until_ms": settled.until_ms,
                    "due_until": max(now, state["due_until"]),
                },
            )
        self.seen_until_ms = fresh.until_ms
        self.may_have_failed = False
        result = Pass(
            events=events,
            seconds=time.monotonic() - started,
            more=max(fresh.events, settled.events) >= CHUNK_EVENTS,
        )
        if events:
            log.debug("pass_completed", events=events, seconds=round(result.seconds, 3))
        return result

    def catch_up(self, *, now: int) -> int:
        """Runs passes until nothing waits; returns how many events they looked at."""
        events = 0
        while True:
            result = self.run_pass(now=now)
            events += result.events
            if not result.more:
                return events

    def take_arrivals(self, this: dict[str, Any], *, after_ms: int, until_ms: int) -> Chunk:
        """Touches a chunk of the arrivals in (after, until]."""
        if until_ms <= after_ms:
            return Chunk(after_ms)
        span = {"after_ms": after_ms, "until_ms": until_ms}
        chunk = self.door.select(SQL["next_arrivals"], span | {"row_limit": CHUNK_EVENTS})[0]
        if not chunk["events"]:
            return Chunk(after_ms)
        span["until_ms"] = chunk["until_ms"]
        self.door.execute(SQL["touch_arrivals"], this | span)
        return Chunk(chunk["until_ms"], chunk["events"], frozenset(chunk["kinds"]))

    def project(
        self, this: dict[str, Any], *, now: int, kinds: frozenset[int] | None, barriers: int
    ) -> None:
        """Computes again all that the touched events concern.

        kinds: the kinds among them, None when any may be; barriers: how many pubkeys have vanished.
        """
        at = this | {"now": now}

        def has(*some: Kind) -> bool:
            return kinds is None or not kinds.isdisjoint(some)

        if has(Kind.VANISH):
            self.door.execute(SQL["raise_barriers"], at | {"own_relays": self.own_relays})
        if has(Kind.VANISH) or barriers:
            erased = self.door.select(SQL["pending_erasures"], this)
        else:
            erased = []
        people = {
            "pubkeys": [row["pubkey"] for row in erased],
            "untils": [row["erased_until"] for row in erased],
        }
        if erased:
            kinds = None
            self.door.execute(SQL["touch_erased_events"], this | people)
            self.door.execute(SQL["touch_erased_people"], this | {"pubkeys": people["pubkeys"]})
        if has(Kind.DELETION):
            kinds = None
            self.door.execute(SQL["touch_deleted_events"], this)
            self.door.execute(SQL["touch_deleted_videos"], this)
        self.door.execute(SQL["record_due"], at)
        if has(*LIST_KINDS):
            self.door.execute(SQL["touch_lists"], this)
            self.door.execute(SQL["touch_listed_videos"], this)
        if has(Kind.PROFILE):
            self.door.execute(SQL["touch_profiles"], this)
        self.door.execute(SQL["touch_videos"], this)
        if erased:
            self.erase(this, people)
        touched = self.door.select(SQL["count_touched"], this)[0]
        if touched["lists"]:
            self.door.execute(SQL["find_lists"], at)
            self.door.execute(SQL["project_list_entries"], this)
            self.door.execute(SQL["project_lists"], this)
        if touched["profiles"]:
            self.door.execute(SQL["project_profiles"], at)
        if touched["videos"]:
            # After the lists, whose entries are the bookmarks.
            self.door.execute(SQL["touch_targets"], at)
            self.door.execute(SQL["project_videos"], at | {"zap_signers": self.zap_signers})

    def erase(self, this: dict[str, Any], people: dict[str, Any]) -> None:
        """Deletes the touched events of vanished pubkeys from every table, for good (NIP-62)."""
        for table, id_column in EVENT_TABLES:
            self.door.execute(SQL["erase_events"], this | {"table": table, "id_column": id_column})
        for table in PEOPLE_TABLES:
            self.door.execute(SQL["erase_people"], {"table": table, "pubkeys": people["pubkeys"]})
        self.door.execute(SQL["record_erasures"], people)
        log.info("pubkeys_erased", pubkeys=len(people["pubkeys"]))
