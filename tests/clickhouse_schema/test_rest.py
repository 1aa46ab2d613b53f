"""What a pass leaves to be written later, or beside it: lists, profiles, texts of a search."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from funnel.clickhouse import Clickhouse, ClickhouseUnavailable
from funnel.nostr import Event
from funnel.sql import Query, parse_query
from tests.builders import (
    T,
    a_deletion,
    a_reaction,
    a_vanish,
    a_video,
    address,
    alice,
    as_json,
    bob,
    dave,
)
from tests.clickhouse_schema.lively_day import ANSWERS, DELIVERED, answers, rows
from tests.clickhouse_schema.test_projector import BreakingDoor, put_behind
from tests.delivery import Delivery

NOW = T + 100_000
HOUR = 3600.0
VIDEO = a_video(alice, "v1", title="cats", tags=[("t", "cats")])
EMPTY_ARRIVALS = parse_query(
    "tests.empty_arrivals",
    """-- Events as they arrived before an arrival told more than an id.
    INSERT INTO arrivals (inserted_at, id, kind) SELECT now64(3), id, kind FROM events_local""",
)


class DoorOfEachThread:
    """As funnel.clickhouse.clickhouse: every thread has a connection of its own."""

    def __init__(self, door: Clickhouse) -> None:
        self._settings = door.settings
        self._own = threading.local()
        # Statements that begin only when they are let, by their names.
        self.held: dict[str, threading.Event] = {}
        self.begun: list[str] = []

    def select(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self._door().select(query, params)

    def execute(self, query: Query, params: dict[str, Any]) -> None:
        name = query.name.removeprefix("clickhouse_schema.")
        if name in self.held:
            assert self.held[name].wait(30)
        self.begun.append(name)
        self._door().execute(query, params)

    def _door(self) -> Clickhouse:
        if not hasattr(self._own, "door"):
            self._own.door = Clickhouse(self._settings)
        door: Clickhouse = self._own.door
        return door


@pytest.fixture
def delivery(clickhouse: Clickhouse) -> Delivery:
    """One that leaves the rest until there is nothing else to do."""
    delivery = Delivery(clickhouse, now=NOW)
    projector = delivery.projector
    # It has just written all that there was.
    projector.rest.write(projector.begin_pass(), now=NOW)
    projector.rest.wait_seconds = HOUR
    return delivery


@pytest.fixture
def beside(delivery: Delivery) -> Iterator[DoorOfEachThread]:
    """The door of a projector that has three threads beside its own and lets nothing wait."""
    projector = delivery.projector
    door = DoorOfEachThread(delivery.clickhouse)
    put_behind(projector, door)
    projector.rest.wait_seconds = 1e-6
    with ThreadPoolExecutor(max_workers=3) as projector.beside.threads:
        yield door


def take_in(delivery: Delivery, *events: Event) -> None:
    delivery.write([as_json(event) for event in events])
    assert delivery.projector.run_pass(now=NOW).events == len(events)


def places(delivery: Delivery) -> dict[str, int]:
    """The likes that a list shows for the video, by the lists in which it is."""
    found = [
        row
        for row in rows(delivery.clickhouse, "listed_videos")
        if row["video_key"] == address(VIDEO)
    ]
    lists = [row["list"] for row in found]
    assert len(lists) == len(set(lists))
    return {row["list"]: row["likes"] for row in found}


def likes(delivery: Delivery) -> int:
    [row] = rows(delivery.clickhouse, "video_stats")
    count: int = row["likes"]
    return count


def assert_counted_before_listed(delivery: Delivery, may_write: threading.Event) -> None:
    """A reaction is counted while lists may not be written, and is in them afterwards."""
    take_in(delivery, a_reaction(VIDEO, bob))

    assert 1 == likes(delivery)
    assert {} == places(delivery)
    may_write.set()
    delivery.project()
    assert 1 == places(delivery)["#cats"]


def test_counts_come_first_and_lists_when_there_is_nothing_else_to_do(delivery):
    take_in(delivery, VIDEO)
    take_in(delivery, a_reaction(VIDEO, bob))
    assert 1 == likes(delivery)
    assert {} == places(delivery)

    assert 0 == delivery.projector.run_pass(now=NOW).events

    assert 1 == places(delivery)["#cats"]


def test_a_place_that_a_video_had_and_lost_while_lists_waited_is_not_left_behind(delivery):
    take_in(delivery, VIDEO)
    delivery.project()
    before = places(delivery)
    for number, hashtag in enumerate(("dogs", "birds"), 1):
        take_in(delivery, a_video(alice, "v1", title="x", tags=[("t", hashtag)], at=number))

    delivery.project()

    assert before.keys() - {"#cats"} | {"#birds"} == places(delivery).keys()


def test_a_video_that_is_deleted_while_lists_wait_leaves_them(delivery):
    take_in(delivery, VIDEO)
    delivery.project()
    take_in(delivery, a_reaction(VIDEO, bob))
    take_in(delivery, a_deletion(VIDEO, by=alice, at=5))

    delivery.project()

    assert {} == places(delivery)


def test_lists_wait_no_longer_than_they_may(delivery):
    take_in(delivery, VIDEO)
    assert {} == places(delivery)
    delivery.projector.rest.wait_seconds = 1e-6

    take_in(delivery, a_reaction(VIDEO, bob))

    assert 1 == places(delivery)["#cats"]


def test_lists_wait_until_nothing_has_come_for_a_while(delivery):
    take_in(delivery, VIDEO)
    delivery.projector.idle_ms = 3_600_000
    delivery.projector.run_pass(now=NOW)
    assert {} == places(delivery)

    delivery.projector.idle_ms = 0
    delivery.projector.run_pass(now=NOW)

    assert 0 == places(delivery)["#cats"]


def test_lists_and_names_take_turns(delivery):
    delivery.projector.rest.wait_seconds = 1e-6
    take_in(delivery, VIDEO)
    take_in(delivery, a_reaction(VIDEO, bob))

    assert places(delivery)
    assert rows(delivery.clickhouse, "video_texts")


def test_what_waits_is_not_lost_with_the_projector(delivery):
    take_in(delivery, VIDEO)
    # What has settled is not looked at again, so nothing may settle that waits.
    delivery.projector.settle_ms = -1_000
    for name in ("v2", "v3"):
        take_in(delivery, a_video(bob, name))
    assert {} == places(delivery)

    Delivery(delivery.clickhouse, now=NOW, just_started=True).project()

    assert 0 == places(delivery)["#cats"]


def test_arrivals_that_tell_nothing_of_their_events_are_looked_up(delivery):
    delivery.write([as_json(event) for event in (VIDEO, a_reaction(VIDEO, bob))])
    delivery.clickhouse.command("TRUNCATE TABLE arrivals")
    delivery.clickhouse.execute(EMPTY_ARRIVALS, {})

    delivery.project()

    assert 1 == likes(delivery)
    assert 2 == len(rows(delivery.clickhouse, "first_seen"))


@pytest.mark.parametrize("wait_seconds", [1e-6, HOUR])
def test_answers_are_those_of_one_statement_after_the_other(wait_seconds, delivery, beside):
    delivery.projector.rest.wait_seconds = wait_seconds
    delivery.projector.trust.seeds = [bob.pubkey]
    events = list(DELIVERED[0])
    random.Random(1).shuffle(events)
    for start in range(0, len(events), 4):
        delivery.write(events[start : start + 4])
        delivery.projector.run_pass(now=NOW)
    delivery.project()
    found = answers(delivery.clickhouse)

    for table in (*ANSWERS, "projection_state"):
        delivery.clickhouse.command(f"TRUNCATE TABLE {table}")
    seeds = (bob.pubkey,)
    Delivery(delivery.clickhouse, now=NOW, trust_seeds=seeds, just_started=True).project()
    assert answers(delivery.clickhouse) == found
    assert all(found.values())


def test_counts_do_not_wait_for_the_lists_of_an_earlier_pass(delivery, beside):
    may_write = beside.held["project_listed_videos"] = threading.Event()
    take_in(delivery, VIDEO)

    assert_counted_before_listed(delivery, may_write)


def test_counts_do_not_wait_for_lists_that_are_written_while_nothing_came(delivery, beside):
    delivery.projector.rest.wait_seconds = HOUR
    take_in(delivery, VIDEO)
    may_write = beside.held["project_listed_videos"] = threading.Event()
    assert 0 == delivery.projector.run_pass(now=NOW).events

    assert_counted_before_listed(delivery, may_write)


def test_counts_do_not_wait_for_what_the_pass_before_lets_go(delivery, beside):
    may_drop = beside.held["drop_partition"] = threading.Event()
    take_in(delivery, VIDEO)
    assert 0 == likes(delivery)
    threading.Timer(0.5, may_drop.set).start()

    take_in(delivery, a_reaction(VIDEO, bob))

    order = [name for name in beside.begun if name in ("project_videos", "drop_partition")]
    assert ["project_videos", "project_videos", "drop_partition"] == order[:3]
    delivery.projector.wait_for_drop()
    for table in ("touched_acts", "touched_events", "touched_targets"):
        assert [] == rows(delivery.clickhouse, table)


def test_a_pass_that_erases_leaves_nothing_of_what_it_looked_up(delivery, beside):
    take_in(delivery, a_video(dave, "mine"))
    may_drop = beside.held["drop_partition"] = threading.Event()
    threading.Timer(0.5, may_drop.set).start()

    take_in(delivery, a_vanish(dave, at=50))

    assert [] == rows(delivery.clickhouse, "touched_events")


def test_what_could_not_be_let_go_is_told_and_keeps_no_later_pass(delivery, beside):
    put_behind(delivery.projector, BreakingDoor(beside, "drop_partition", table="touched_acts"))
    take_in(delivery, VIDEO)
    put_behind(delivery.projector, beside)
    delivery.write([as_json(a_reaction(VIDEO, bob))])
    with pytest.raises(ClickhouseUnavailable):
        delivery.projector.run_pass(now=NOW)

    delivery.project()

    assert 1 == likes(delivery)


def test_nothing_is_written_of_whom_a_pass_erases(delivery, beside):
    held = beside.held["project_listed_videos"] = threading.Event()
    take_in(delivery, a_video(dave, "mine"))
    threading.Timer(0.5, held.set).start()

    take_in(delivery, a_vanish(dave, at=50))

    assert beside.begun.index("project_listed_videos") < beside.begun.index("erase_people")
    assert [] == rows(delivery.clickhouse, "listed_videos")


def test_what_could_not_be_written_beside_a_pass_is_told_and_written_later(delivery, beside):
    put_behind(delivery.projector, BreakingDoor(beside, "project_listed_videos"))
    delivery.write([as_json(VIDEO)])
    # By the pass that begins to write it, if it breaks at once, or by the next.
    with pytest.raises(ClickhouseUnavailable):
        delivery.project()
    put_behind(delivery.projector, beside)

    delivery.project()

    assert 0 == places(delivery)["#cats"]
