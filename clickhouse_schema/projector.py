"""Keeps the read model equal to the facts: computes again what arrivals and time have touched.

One pass takes what is new, finds the videos, lists and profiles that it concerns, and computes
their rows from the facts as if nothing had been there before. It never adds to a number, so a pass
that is repeated, interrupted or run by two workers at once ends at the same rows.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import structlog

from clickhouse_schema.beside import Beside
from clickhouse_schema.door import Door
from clickhouse_schema.read_model import EVENT_TABLES, PASS_TABLES, PEOPLE_TABLES, Part
from clickhouse_schema.rest import Rest
from clickhouse_schema.trust import TRUST_HOPS, Trust
from funnel.nostr import Kind
from funnel.sql import ConditionalQuery, Query, load_query

log = structlog.get_logger(__name__)

# At most so many events a pass, so that no pass is long; ties in arrival time come along.
CHUNK_EVENTS = 20_000
# Where inserts go through several servers, an arrival is looked at as soon as its insert should be
# complete in every table …
LAG_SECONDS = 0.2
# … and once more when no insert of that time can still be under way.
SETTLE_MARGIN_SECONDS = 15
# As long as there is something new, what settles is looked at for so long a time at once.
SETTLE_EVERY_MS = 5_000
# So long at most the projector waits for an insert that is under way on the one server.
INSERT_WAIT_MS = 2_000

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
        "take_arrivals",
        "find_events",
        "count_consequences",
        "touch_seasoned",
        "note_first_seen",
        "touch_deletions",
        "find_named_events",
        "touch_replaceable",
        "drop_partition",
        "touch_acted_on",
        "touch_reacted_to",
        "touch_videos",
        "touch_listed_videos",
        "touch_targets",
        "touch_acts",
        "count_touched",
        "record_due",
        "raise_barriers",
        "pending_erasures",
        "touch_erased_events",
        "touch_erased_people",
        "touch_interrupted_erasures",
        "touch_vanish_requests",
        "touch_keys",
        "next_keys",
        "count_erased",
        "erase_events",
        "erase_people",
        "record_erasures",
        "find_lists",
        "project_list_entries",
        "project_lists",
        "project_people",
        "next_touched",
        "touch_chunk",
    )
}

PROJECT_VIDEOS = ConditionalQuery(load_query(__file__, "project_videos"))

# How long the next try waits after people could not be forgotten.
FORGET_RETRY_SECONDS = 60.0
# At most so many lists, profiles or videos at once when all are computed again.
CHUNK_KEYS = 2_000
# At most so many videos at once in any pass: whom many trust has acted on many.
CHUNK_VIDEOS = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Arrivals in (after, until] that a pass takes in, the kinds among them, and how many events
    have arrived in which millisecond: as a rule an insert each.

    untold: of how many the arrival has nothing but the id and the kind.
    """

    after_ms: int
    until_ms: int
    kinds: frozenset[int] = frozenset()
    inserts: Mapping[int, int] = dataclasses.field(default_factory=dict)
    untold: int = 0

    @property
    def events(self) -> int:
        return sum(self.inserts.values())


@dataclasses.dataclass(frozen=True, slots=True)
class Pass:
    """What a pass did: events looked at, seconds it took, whether more is waiting.

    behind_seconds: all that had arrived so long before it began is in the answers now.
    """

    events: int
    seconds: float
    more: bool
    behind_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """A chunk of a part of the read model: how many keys it has, and the last of them."""

    keys: int
    until_key: str


def new_pass(state: dict[str, Any]) -> dict[str, int]:
    """The parameter of a pass that begins now: greater than all before it."""
    return {"pass": max(time.time_ns() // 1000, state["version"] + 1)}


class Projector:
    """Runs passes.

    own_relays: the places that a request to vanish may name (NIP-62), as funnel.nostr.relay_place.
    zap_signers: pubkeys of payment servers whose receipts count as verified (NIP-57).
    trusted_labelers: pubkeys whose labels change hashtags and sensitivity (NIP-32).
    trust_seeds, trust_hops: as `seeds` and `hops` of Trust.
    insert_seconds: how long an insert may take at most.
    lag_seconds: how old an arrival has to be.
    one_server: whether all inserts go through the server that `door` asks, which then knows those
    that are under way.
    rest_wait_seconds: as `wait_seconds` of Rest.
    views_wait_seconds: how long views wait for other events, to be taken in with them.
    idle_seconds: after so long a time without arrivals the rest need not wait.
    forget: deletes what is kept of people beside ClickHouse; whether that could be done.
    beside: as `threads` of Beside. Without it all statements run one after the other.
    """

    def __init__(
        self,
        door: Door,
        *,
        own_relays: Sequence[str] = (),
        zap_signers: Sequence[str] = (),
        trusted_labelers: Sequence[str] = (),
        trust_seeds: Sequence[str] = (),
        trust_hops: int = TRUST_HOPS,
        insert_seconds: float = 60,
        lag_seconds: float | None = None,
        one_server: bool = False,
        rest_wait_seconds: float = 0,
        views_wait_seconds: float = 0,
        idle_seconds: float = 0,
        forget: Callable[[Sequence[str]], bool] = lambda pubkeys: True,
        beside: Executor | None = None,
    ) -> None:
        self.door = door
        self.own_relays = list(own_relays)
        self.zap_signers = list(zap_signers)
        self.trusted_labelers = list(trusted_labelers)
        self.trust = Trust(door, seeds=trust_seeds, hops=trust_hops)
        self.settle_ms = round(1000 * (insert_seconds + SETTLE_MARGIN_SECONDS))
        if lag_seconds is None:
            # One server tells by itself what is complete.
            lag_seconds = 0 if one_server else LAG_SECONDS
        self.lag_ms = round(1000 * lag_seconds)
        self.one_server = one_server
        self.beside = Beside(beside)
        self.rest = Rest(door, wait_seconds=rest_wait_seconds, beside=self.beside)
        # What is let go of the pass before.
        self.dropping: Future[None] | None = None
        self.views_wait_ms = round(1000 * views_wait_seconds)
        self.idle_ms = round(1000 * idle_seconds)
        self.forget = forget
        # Whom it could not be done for, and when to try again: the answers do not wait for it.
        self.to_forget: set[str] = set()
        self.forget_at = 0.0
        # Arrivals seen once; after a restart everything that has not settled is looked at again.
        self.seen_until_ms = 0
        # The inserts that were complete when they were looked at: a second look finds the same.
        self.complete: dict[int, int] = {}
        # What has settled; the state follows with the next pass that writes it.
        self.settled_until_ms = 0
        # What arrived until then has to be looked at twice: it may not have been complete, or
        # another projector was at work. And the last pass of this one.
        self.unsure_until_ms = 0
        self.version = 0
        # Whether a pass before this one may have ended in the middle.
        self.may_have_failed = True

    def run_pass(self, *, now: int, at_once: bool = False) -> Pass:
        """Takes in one chunk of what is new at Unix second `now`.

        at_once: whether views are not to wait for other events.

        Raises the door's errors; what was touched is then taken up by the next pass.
        """
        started = time.monotonic()
        self.rest.take_note(wait=False)
        state = self.door.select(SQL["read_state"], {})[0]
        this = new_pass(state)
        if state["version"] != self.version:
            self.unsure_until_ms = state["server_ms"]
        settled_until_ms = max(self.settled_until_ms, state["settled_until_ms"])
        seen_until_ms = max(self.seen_until_ms, settled_until_ms)
        horizon_ms, is_sure = self.horizon(state)
        fresh = self.next_arrivals(seen_until_ms, horizon_ms, CHUNK_EVENTS)
        if fresh.kinds == {Kind.VIEW} and not at_once:
            first_ms = min(fresh.inserts)
            if state["server_ms"] - first_ms < self.views_wait_ms:
                fresh, horizon_ms = Chunk(seen_until_ms, seen_until_ms), first_ms - 1
        if is_sure:
            self.complete.update(fresh.inserts)
        elif fresh.events:
            self.unsure_until_ms = max(self.unsure_until_ms, fresh.until_ms)
        settled = self.settle(
            this,
            after_ms=settled_until_ms,
            until_ms=min(state["server_ms"] - self.settle_ms, seen_until_ms, self.rest.from_ms),
            may_wait=fresh.events > 0,
        )
        due_events = 0
        if now > state["due_until"]:
            due = {"after": state["due_until"], "now": now}
            due_events = self.door.select(SQL["next_due"], due)[0]["events"]
            if due_events:
                self.door.execute(SQL["touch_due"], this | due)
        resumes, self.may_have_failed = self.may_have_failed, True
        if resumes:
            self.door.execute(SQL["touch_unfinished"], this | {"completed": state["version"]})
        events = fresh.events + settled.events + due_events
        is_fresh_only = not (settled.events or due_events or resumes)
        # Whether arrivals tell all that is to be known of the events of this pass.
        is_told = is_fresh_only and not fresh.untold
        if fresh.events and not is_told:
            self.touch_arrivals(this, fresh)
        if events or resumes:
            self.project(
                this,
                now=now,
                # Of what falls due and of what an earlier pass left the kinds are not known.
                kinds=None if due_events or resumes else fresh.kinds | settled.kinds,
                barriers=state["barriers"],
                arrivals=fresh if is_told else None,
                # When no other projector can still be at work on what has settled.
                afresh=resumes or settled.events > 0,
                # After a crash all that has not settled is looked at again, and the rest with it.
                rest_may_wait=is_fresh_only,
            )
        elif self.rest.waits:
            # Not waited for: what arrives meanwhile is to be counted at once.
            is_idle = state["server_ms"] - seen_until_ms >= self.idle_ms
            self.rest.begin(now=now, is_idle=is_idle)
        if events or resumes or now > state["due_until"]:
            self.door.execute(
                SQL["write_state"],
                this
                | {
                    "settled_until_ms": settled.until_ms,
                    "due_until": max(now, state["due_until"]),
                },
            )
            self.version = this["pass"]
        self.seen_until_ms, self.settled_until_ms = fresh.until_ms, settled.until_ms
        self.may_have_failed = False
        self.rest.hold(seen_until_ms)
        covered_ms = horizon_ms if fresh.events < CHUNK_EVENTS else fresh.until_ms
        result = Pass(
            events=events,
            seconds=time.monotonic() - started,
            more=max(fresh.events, settled.events) >= CHUNK_EVENTS,
            behind_seconds=(state["server_ms"] - covered_ms) / 1000,
        )
        if events:
            log.debug("pass_completed", events=events, seconds=round(result.seconds, 3))
        return result

    def horizon(self, state: dict[str, Any]) -> tuple[int, bool]:
        """Until when (Unix ms) arrivals can be looked at, and whether all of them are complete.

        What arrives has the time at which its insert began. So on one server everything is complete
        that arrived before the insert that has been under way for longest. One that hangs is not
        waited for.
        """
        now_ms: int = state["server_ms"]
        if not self.one_server:
            return now_ms - self.lag_ms, False
        # What begins in the same millisecond is not known yet.
        complete_ms = now_ms - state["inserting_for_ms"] - 1
        return max(complete_ms, now_ms - INSERT_WAIT_MS) - self.lag_ms, (
            state["inserting_for_ms"] < INSERT_WAIT_MS
        )

    def catch_up(self, *, now: int) -> int:
        """Runs passes until nothing waits; returns how many events they looked at."""
        events = 0
        while True:
            result = self.run_pass(now=now, at_once=True)
            events += result.events
            if not result.more:
                break
        if self.rest.waits:
            self.rest.write(self.begin_pass(), now=now)
        return events

    def begin_pass(self) -> dict[str, int]:
        """The parameter that names a new pass in every query of it."""
        return new_pass(self.door.select(SQL["read_state"], {})[0])

    def carry_out_erasures(self, *, now: int) -> dict[str, int]:
        """Erases at once what the barriers forbid, where that has not been done yet.

        Barriers are raised for all requests to vanish that are due. Returns the rows by table.
        """
        this = self.begin_pass()
        self.door.execute(SQL["touch_vanish_requests"], this)
        return self.project(this, now=now, kinds=frozenset({Kind.VANISH}), barriers=1)

    def reproject(self, part: Part, *, after_key: str, now: int) -> Keys:
        """Computes the next chunk of a part of the read model again, whatever is in it.

        after_key: where the chunk before ended, "" for the first one. Rows whose key has no facts
        any more stay; their version is older than that of any row written here.
        """
        span = {"table": part.facts, "key_column": part.key_column, "after_key": after_key}
        chunk = Keys(**self.door.select(SQL["next_keys"], span | {"row_limit": CHUNK_KEYS})[0])
        if not chunk.keys:
            return chunk
        state = self.door.select(SQL["read_state"], {})[0]
        this = new_pass(state)
        for what in ("video", "text") if part.what == "video" else (part.what,):
            self.door.execute(
                SQL["touch_keys"], this | span | {"what": what, "until_key": chunk.until_key}
            )
        self.compute(this, now=now, afresh=True, follow=False)
        self.drop(this)
        self.rest.list_videos(afresh=True)
        self.rest.write_names(this, now=now, follow=False, unchanged_texts=True)
        reached = {name: state[name] for name in ("settled_until_ms", "due_until")}
        self.door.execute(SQL["write_state"], this | reached)
        return chunk

    def touch_arrivals(self, this: dict[str, Any], chunk: Chunk) -> None:
        span = {"after_ms": chunk.after_ms, "until_ms": chunk.until_ms}
        self.door.execute(SQL["touch_arrivals"], this | span)

    def next_arrivals(self, after_ms: int, until_ms: int, row_limit: int) -> Chunk:
        """A chunk of the arrivals in (after, until], of about row_limit at most."""
        if until_ms <= after_ms:
            return Chunk(after_ms, after_ms)
        span = {"after_ms": after_ms, "until_ms": until_ms, "row_limit": row_limit}
        inserts = self.door.select(SQL["next_arrivals"], span)
        return Chunk(
            after_ms,
            until_ms=max((row["at_ms"] for row in inserts), default=after_ms),
            kinds=frozenset(kind for row in inserts for kind in row["kinds"]),
            inserts={row["at_ms"]: row["events"] for row in inserts},
            untold=sum(row["untold"] for row in inserts),
        )

    def settle(
        self, this: dict[str, Any], *, after_ms: int, until_ms: int, may_wait: bool
    ) -> Chunk:
        """Touches a chunk of the arrivals in (after, until] once more, unless all of them were
        complete the first time and none has come since.

        may_wait: whether this is for a later pass to do as long as they are few.
        """
        if until_ms - after_ms < (SETTLE_EVERY_MS if may_wait else 1):
            return Chunk(after_ms, after_ms)
        complete = {at: self.complete[at] for at in self.complete if after_ms < at <= until_ms}
        is_complete = after_ms >= self.unsure_until_ms and (
            complete == self.next_arrivals(after_ms, until_ms, sum(complete.values()) + 1).inserts
        )
        chunk = Chunk(after_ms, until_ms)
        if not is_complete:
            chunk = self.next_arrivals(after_ms, until_ms, CHUNK_EVENTS)
            if chunk.events:
                self.touch_arrivals(this, chunk)
            if chunk.events < CHUNK_EVENTS:
                chunk = dataclasses.replace(chunk, until_ms=until_ms)
        self.complete = {at: events for at, events in self.complete.items() if at > chunk.until_ms}
        return chunk

    def project(
        self,
        this: dict[str, Any],
        *,
        now: int,
        kinds: frozenset[int] | None,
        barriers: int,
        arrivals: Chunk | None = None,
        afresh: bool = False,
        rest_may_wait: bool = False,
    ) -> dict[str, int]:
        """Computes again all that the touched events concern.

        kinds: the kinds among them, None when any may be; barriers: how many pubkeys have vanished;
        arrivals: those that tell all of them, None when they have been touched one by one;
        afresh: as in `compute`; rest_may_wait: whether lists, profiles and texts may be left to a
        later pass.
        Returns how many rows it has erased from which table.
        """
        at = this | {"now": now}
        if arrivals is None:
            self.door.execute(SQL["find_events"], this)
        else:
            span = {"after_ms": arrivals.after_ms, "until_ms": arrivals.until_ms}
            self.door.execute(SQL["take_arrivals"], this | span)

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
            # Nobody writes anything about them any more.
            self.rest.take_note()
            self.door.execute(SQL["touch_erased_events"], this | people)
            self.door.execute(SQL["touch_erased_people"], this | {"pubkeys": people["pubkeys"]})
            self.door.execute(SQL["touch_interrupted_erasures"], this)
            self.door.execute(SQL["find_named_events"], this)
        # What an erased request had deleted is there again.
        names = bool(erased) or has(Kind.DELETION)
        if names:
            self.door.execute(SQL["touch_deletions"], this)
            self.door.execute(SQL["find_named_events"], this)
        noting = self.beside.begin(lambda: self.note_consequences(at))
        # Whoever is erased may have events that the pass has not looked up.
        self.touch_videos(at, dated=arrivals is not None and not erased, erases=bool(erased))
        consequences = noting.result()
        if consequences["reacted_to"]:
            self.door.execute(SQL["touch_reacted_to"], this)
        if consequences["reacted_to"] or consequences["seasoned"]:
            self.touch_videos(at, erases=bool(erased))
        rows = self.erase(this, people) if erased else {}
        touched = self.compute(this, now=now, afresh=afresh)
        self.drop(this)
        if touched["profiles"] or touched["texts"]:
            self.rest.owes_names(this)
        if rest_may_wait and not erased and self.rest.wait_seconds:
            self.rest.begin(now=now)
        else:
            self.rest.write(this, now=now, afresh=afresh)
        self.forget_people(people["pubkeys"])
        if erased:
            self.wait_for_drop()
            # Not before: an erasure that ends in the middle is pending still.
            self.door.execute(SQL["record_erasures"], people)
            log.info("pubkeys_erased", pubkeys=len(erased), rows=rows)
        return rows

    def note_consequences(self, at: dict[str, Any]) -> dict[str, int]:
        """Writes down what touched events change beside what they are about; returns how much."""
        this = {"pass": at["pass"]}
        consequences: dict[str, int] = self.door.select(SQL["count_consequences"], at)[0]
        if consequences["seasoned"]:
            # While it is known who was here since when before.
            self.door.execute(SQL["touch_seasoned"], this)
        if consequences["authors"]:
            self.door.execute(SQL["note_first_seen"], this)
        if consequences["due"]:
            self.door.execute(SQL["record_due"], at)
        if consequences["replaceable"]:
            self.door.execute(SQL["touch_replaceable"], this)
        return consequences

    def forget_people(self, pubkeys: Sequence[str]) -> None:
        """Has these people forgotten beside ClickHouse, and those who could not be before."""
        self.to_forget.update(pubkeys)
        if not self.to_forget or time.monotonic() < self.forget_at:
            return
        if self.forget(sorted(self.to_forget)):
            self.to_forget.clear()
        else:
            self.forget_at = time.monotonic() + FORGET_RETRY_SECONDS

    def touch_videos(
        self, at: dict[str, Any], *, dated: bool = False, erases: bool = False
    ) -> None:
        """dated: whether the date of each touched event is known; erases: whether versions of
        these videos are about to be erased, which then stand for them no more."""
        this = {"pass": at["pass"]}
        self.door.execute(SQL["touch_acted_on"], this | {"dated": dated})
        if not erases:
            self.door.execute(SQL["touch_targets"], at)
        self.door.execute(SQL["touch_videos"], this)

    def compute(
        self,
        this: dict[str, Any],
        *,
        now: int,
        afresh: bool = False,
        follow: bool = True,
    ) -> dict[str, int]:
        """Writes the rows of the touched lists and people, and the counts of the touched videos.

        afresh: also those entries of a list that it had before; and as in `Rest.list_videos`, where
        there are so many videos that their places are written with them. follow: whether the
        videos that the lists name are computed, too, and those on which people have acted to whom
        the lists give another standing. Returns how much of what had been touched.
        """
        touched: dict[str, int] = self.door.select(SQL["count_touched"], this)[0]
        if touched["lists"]:
            if follow:
                self.door.execute(SQL["touch_listed_videos"], this)
                touched = self.door.select(SQL["count_touched"], this)[0]
            self.door.execute(SQL["find_lists"], this | {"now": now})
            self.door.execute(SQL["project_list_entries"], this | {"afresh": afresh})
            self.door.execute(SQL["project_lists"], this)
        if follow and self.trust.has_to_follow(this, lists=touched["lists"] > 0):
            self.trust.reach(this)
            self.trust.touch(this)
            self.touch_videos(this | {"now": now})
            self.trust.write(this)
            touched = self.door.select(SQL["count_touched"], this)[0]
        if touched["people"]:
            self.door.execute(SQL["project_people"], this)
        # After the lists, whose entries are the bookmarks, and after what is known of people.
        if touched["videos"] > CHUNK_VIDEOS:
            self.compute_in_chunks(this, now=now, afresh=afresh)
        elif touched["videos"]:
            self.compute_videos(this, now=now, without_targets=touched["without_targets"])
        return touched

    def compute_videos(self, this: dict[str, Any], *, now: int, without_targets: int) -> None:
        """without_targets: for how many of the videos it is not listed yet what stands for them."""
        at = this | {"now": now}
        if without_targets:
            self.door.execute(SQL["touch_targets"], at)
        self.door.execute(SQL["touch_acts"], at)
        self.door.execute(*self.project_videos(at))
        self.rest.owes_lists(this)

    def project_videos(self, at: dict[str, Any]) -> tuple[Query, dict[str, Any]]:
        """Without what nobody has configured: it would be planned all the same."""
        params = at | {"zap_signers": self.zap_signers}
        given = set()
        if self.trust.seeds:
            given.add("seeds")
        if self.trusted_labelers:
            given.add("labelers")
            params["trusted_labelers"] = self.trusted_labelers
        return PROJECT_VIDEOS.given(given), params

    def compute_in_chunks(self, this: dict[str, Any], *, now: int, afresh: bool) -> None:
        """Each chunk is a pass of its own, a microsecond after the one before."""
        after_key = ""
        for chunk in itertools.count(this["pass"] + 1):
            span = this | {"after_key": after_key}
            found = self.door.select(SQL["next_touched"], span | {"row_limit": CHUNK_VIDEOS})[0]
            if not found["keys"]:
                return
            after_key = found["until_key"]
            self.door.execute(SQL["touch_chunk"], span | {"chunk": chunk, "until_key": after_key})
            self.compute_videos({"pass": chunk}, now=now, without_targets=found["keys"])
            self.drop({"pass": chunk})
            self.rest.list_videos(afresh=afresh)

    def drop(self, this: dict[str, Any]) -> None:
        """Lets go of what a pass has looked up, beside what follows: no count waits for it.

        Raises what has kept the pass before from that.
        """
        self.wait_for_drop()
        self.dropping = self.beside.begin(lambda: self.drop_partitions(this))

    def wait_for_drop(self) -> None:
        dropping, self.dropping = self.dropping, None
        if dropping:
            dropping.result()

    def drop_partitions(self, this: dict[str, Any]) -> None:
        for table in PASS_TABLES:
            self.door.execute(SQL["drop_partition"], this | {"table": table})

    def compute_trust(self) -> None:
        """Computes everybody's standing again; videos count it when they are computed next."""
        this = self.begin_pass()
        self.trust.reach(this)
        self.trust.write(this)

    def erase(self, this: dict[str, Any], people: dict[str, Any]) -> dict[str, int]:
        """Deletes the touched events of vanished pubkeys from every table, for good (NIP-62).

        Returns how many rows of which table; tables without any are left out.
        """
        rows = {}
        for table, id_column in EVENT_TABLES:
            of = this | {"table": table, "id_column": id_column}
            if erased := self.door.select(SQL["count_erased"], of)[0]["erased"]:
                rows[table] = erased
                self.door.execute(SQL["erase_events"], of)
        for table in PEOPLE_TABLES:
            self.door.execute(SQL["erase_people"], {"table": table, "pubkeys": people["pubkeys"]})
        return rows
