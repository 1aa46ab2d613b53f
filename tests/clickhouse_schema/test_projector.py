"""The projector: what it computes does not depend on what happened to it on the way."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from clickhouse_schema.door import Door
from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse, ClickhouseUnavailable
from funnel.nostr import Event
from funnel.sql import Query, parse_query
from tests.builders import (
    T,
    a_deletion,
    a_reaction,
    a_vanish,
    a_video,
    a_view,
    address,
    alice,
    as_json,
    bob,
    bookmarks,
    carol,
    dave,
)
from tests.clickhouse_schema.lively_day import DELIVERED, answers, rows
from tests.delivery import Delivery

NOW = T + 100_000

VIDEO = a_video(alice, "v1", title="cats")

INSERT_LATE = parse_query(
    "tests.insert_late",
    """-- An insert that took long: its time of arrival is from when it began.
    INSERT INTO events_local (id, pubkey, created_at, kind, tags, content, inserted_at)
    SELECT
        {event_id:String},
        {pubkey:String},
        {created_at:UInt32},
        {kind:UInt16},
        [['e', {target:String}]],
        '+',
        now64(3) - toIntervalSecond({seconds:UInt32})
    """,
)


def put_behind(projector: Projector, door: Door) -> None:
    """From now on it asks this door."""
    projector.door = projector.rest.door = projector.trust.door = door


class BreakingDoor:
    """A door that breaks just before one statement, each time that it is asked for it."""

    def __init__(self, door: Clickhouse, breaks_at: str, **params: Any) -> None:
        self.door = door
        self.breaks_at = f"clickhouse_schema.{breaks_at}"
        self.params = params

    def select(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self.door.select(query, params)

    def execute(self, query: Query, params: dict[str, Any]) -> None:
        if query.name == self.breaks_at and self.params.items() <= params.items():
            raise ClickhouseUnavailable
        self.door.execute(query, params)


@pytest.fixture
def delivery(clickhouse: Clickhouse) -> Delivery:
    return Delivery(clickhouse, now=NOW)


def raws(*events: Event) -> list[dict[str, Any]]:
    return [as_json(event) for event in events]


def stats(delivery: Delivery, video: Event = VIDEO) -> dict[str, Any]:
    found = [
        row
        for row in rows(delivery.clickhouse, "video_stats")
        if row["video_key"] == address(video)
    ]
    return found[0] if found else {}


HOSTILE = "\0\x01\x1f\x7f\"\\\\u0041\\ud800{}[]',/\u2028\ufeff\U0001f3ac\U0010ffff\r\n\t"


@pytest.mark.parametrize("kind", [21, 34236])
def test_what_a_version_says_comes_through_as_it_is(kind, delivery):
    """It is written down as JSON on its way."""
    tags = [
        (
            "imeta",
            f"url https://x.example/{HOSTILE}",
            "duration 0.30000000000000004",
            f"alt {HOSTILE}",
        ),
        ("t", HOSTILE),
        ("content-warning", HOSTILE),
        ("loops", "999999999999999"),
        ("expiration", f"{NOW + 1000}"),
        ("published_at", f"{T - 7}"),
        ("x", HOSTILE, "", "null", "1e5"),
    ]
    video = a_video(alice, HOSTILE, title=HOSTILE, content=HOSTILE * 3000, kind=kind, tags=tags)

    delivery.deliver([raws(video)])

    [said] = rows(delivery.clickhouse, "video_versions")
    [counted] = rows(delivery.clickhouse, "video_stats")
    assert HOSTILE == said["title"]
    same = said.keys() - {"published_tag"}
    assert {name: said[name] for name in same} == {name: counted[name] for name in same}
    assert T - 7 == counted["published_at"]


@pytest.mark.parametrize("breaks_at", ["touch_videos", "project_videos", "write_state"])
def test_a_pass_that_broke_is_taken_up_by_the_next_one(breaks_at, delivery):
    delivery.deliver([raws(VIDEO)])
    delivery.write(raws(a_reaction(VIDEO, bob)))
    door = delivery.projector.door
    put_behind(delivery.projector, BreakingDoor(delivery.clickhouse, breaks_at))
    with pytest.raises(ClickhouseUnavailable):
        delivery.project()
    put_behind(delivery.projector, door)

    delivery.project()

    assert 1 == stats(delivery)["likes"]


@pytest.mark.parametrize("breaks_at", ["touch_videos", "project_videos", "write_state"])
def test_a_pass_that_broke_is_taken_up_after_a_restart(breaks_at, delivery):
    delivery.deliver([raws(VIDEO)])
    delivery.write(raws(a_reaction(VIDEO, bob)))
    broken = Projector(BreakingDoor(delivery.clickhouse, breaks_at), lag_seconds=-1)
    with pytest.raises(ClickhouseUnavailable):
        broken.run_pass(now=NOW)

    Delivery(delivery.clickhouse, now=NOW, just_started=True).project()

    assert 1 == stats(delivery)["likes"]


@pytest.mark.parametrize(
    ("breaks_at", "params"),
    [
        ("erase_events", {"table": "engagement_targets"}),
        ("erase_events", {"table": "events_by_author"}),
        ("erase_events", {"table": "events_local"}),
        ("erase_people", {"table": "video_stats"}),
        ("find_lists", {}),
        ("project_videos", {}),
        ("record_erasures", {}),
    ],
)
def test_an_erasure_that_broke_is_completed_by_a_projector_that_runs(breaks_at, params, delivery):
    door = delivery.clickhouse
    others = a_video(carol, "v2")
    acts = (a_reaction(VIDEO, bob), a_reaction(VIDEO, dave), bookmarks(bob, VIDEO))
    delivery.deliver([raws(VIDEO, others, *acts, a_video(bob, "mine"))])
    door.insert("vanish_barriers", ("pubkey", "until"), [(bob.pubkey, NOW)])
    broken = Projector(BreakingDoor(door, breaks_at, **params))
    with pytest.raises(ClickhouseUnavailable):
        broken.carry_out_erasures(now=NOW)

    delivery.deliver([raws(a_reaction(others, carol))])

    assert (1, 0) == (stats(delivery)["likes"], stats(delivery)["bookmarks"])
    tables = ("events_local", "events_by_author", "engagement", "list_versions", "video_stats")
    assert not [row for table in tables for row in rows(door, table) if bob.pubkey in row.values()]


def test_two_projectors_at_once_end_at_the_same_answers(clickhouse):
    seeds = (bob.pubkey,)
    first, second = (
        Delivery(Clickhouse(clickhouse.settings), now=NOW, trust_seeds=seeds, just_started=True)
        for _ in range(2)
    )
    halves = [DELIVERED[0][::2], DELIVERED[0][1::2]]

    def work(delivery: Delivery, half: list[dict[str, Any]]) -> None:
        delivery.deliver([half[::2], half[1::2]])

    threads = [
        threading.Thread(target=work, args=(each, half))
        for each, half in zip((first, second), halves, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.project()
    second.project()
    after = answers(clickhouse)
    for each in (first, second):
        each.clickhouse.close()

    for part in after:
        clickhouse.command(f"TRUNCATE TABLE {part}")
    clickhouse.command("TRUNCATE TABLE projection_state")
    Delivery(clickhouse, now=NOW, trust_seeds=seeds, just_started=True).project()
    assert answers(clickhouse) == after
    assert all(after.values())


def test_an_event_that_is_visible_late_is_taken_in_when_arrivals_settle(delivery):
    delivery.deliver([raws(VIDEO)])
    delivery.clickhouse.execute(
        INSERT_LATE,
        {
            "event_id": "ab" * 32,
            "pubkey": bob.pubkey,
            "created_at": T,
            "kind": 7,
            "target": VIDEO.id,
            "seconds": 30,
        },
    )
    delivery.project()
    assert 0 == stats(delivery)["likes"]

    delivery.projector.settle_ms = 10_000
    delivery.project()

    assert 1 == stats(delivery)["likes"]


def test_what_falls_due_counts_without_any_new_event(delivery):
    later = 100_000 + 2_000
    delivery.deliver(
        [
            raws(
                VIDEO,
                a_reaction(VIDEO, bob, at=later),
                a_view(VIDEO, bob, phase="start", session="s1", at=later),
                a_deletion(VIDEO, at=later + 1),
                a_video(carol, "new", at=later),
            )
        ]
    )
    new = a_video(carol, "new", at=later)
    assert (0, 0) == (stats(delivery)["likes"], stats(delivery)["views"])
    assert not stats(delivery, new)

    delivery.now = T + later - 900
    delivery.project()

    assert (1, 1) == (stats(delivery)["likes"], stats(delivery)["views"])
    assert stats(delivery)["live"]
    assert stats(delivery, new)["live"]

    delivery.now += 1
    delivery.project()

    assert not stats(delivery)["live"]


def test_a_view_from_the_future_falls_due_by_itself(delivery):
    delivery.deliver([raws(VIDEO, a_view(VIDEO, bob, phase="start", session="s1", at=102_000))])
    assert 0 == stats(delivery)["views"]

    delivery.now = T + 102_000 - 900
    delivery.project()

    assert 1 == stats(delivery)["views"]


def test_what_expires_counts_no_more_without_any_new_event(delivery):
    expiring = a_reaction(VIDEO, bob, tags=[("expiration", str(NOW + 100))])
    delivery.deliver([raws(VIDEO, expiring)])
    assert 1 == stats(delivery)["likes"]

    delivery.now = NOW + 99
    delivery.project()
    assert 1 == stats(delivery)["likes"]

    delivery.now = NOW + 100
    delivery.project()
    assert 0 == stats(delivery)["likes"]


def test_what_fell_due_while_nobody_ran_is_taken_in_after_a_restart(delivery):
    expiring = a_reaction(VIDEO, bob, tags=[("expiration", str(NOW + 100))])
    delivery.deliver([raws(VIDEO, expiring)])

    Delivery(delivery.clickhouse, now=NOW + 5_000, just_started=True).project()

    assert 0 == stats(delivery)["likes"]


def test_replaying_everything_twice_changes_nothing(delivery):
    delivery.deliver(DELIVERED)
    before = answers(delivery.clickhouse)

    delivery.deliver([*DELIVERED, DELIVERED[0][::-1]])

    assert before == answers(delivery.clickhouse)


def places(delivery: Delivery) -> list[tuple[str, int]]:
    return sorted(
        (row["list"], row["tier"])
        for row in rows(delivery.clickhouse, "listed_videos")
        if row["video_key"] == address(VIDEO)
    )


def test_a_video_leaves_its_former_places_whatever_broke(delivery):
    crowd = [a_reaction(VIDEO, person) for person in (bob, carol, dave, alice)]
    delivery.deliver([raws(VIDEO)])
    door = delivery.projector.door
    for event in crowd[:3]:
        delivery.write(raws(event))
        put_behind(delivery.projector, BreakingDoor(delivery.clickhouse, "project_listed_videos"))
        with pytest.raises(ClickhouseUnavailable):
            delivery.project()
    assert ("popular", 0) in places(delivery)
    put_behind(delivery.projector, door)

    delivery.project()
    delivery.deliver([raws(crowd[3])])

    assert ("popular", -4) in places(delivery)
    assert ("likes", -4) in places(delivery)
    assert len(places(delivery)) == len({name for name, _ in places(delivery)})


def test_a_place_that_another_projector_gave_a_video_is_taken_back(delivery):
    delivery.deliver([raws(VIDEO)])
    door = delivery.clickhouse
    stray = ("popular", -64, address(VIDEO), 1)
    door.insert("video_places", ("list", "tier", "video_key", "version"), [stray])
    door.insert("listed_videos", ("list", "tier", "video_key", "version"), [stray])
    assert ("popular", -64) in places(delivery)

    # After a restart what has not settled is looked at again, as it is when it settles.
    Delivery(door, now=NOW, just_started=True).project()

    assert ("popular", -64) not in places(delivery)
    assert ("popular", 0) in places(delivery)


def test_a_deleted_video_is_in_no_list(delivery):
    delivery.deliver([raws(VIDEO, a_reaction(VIDEO, bob))])
    assert places(delivery)

    delivery.deliver([raws(a_deletion(VIDEO, at=50))])

    assert [] == places(delivery)


def test_a_pass_with_nothing_to_do_writes_no_answer(delivery):
    delivery.deliver([raws(VIDEO)])
    before = rows(delivery.clickhouse, "video_stats")

    delivery.project()

    assert before == rows(delivery.clickhouse, "video_stats")


def test_more_than_a_chunk_takes_several_passes(delivery, monkeypatch):
    monkeypatch.setattr("clickhouse_schema.projector.CHUNK_EVENTS", 2)
    batches = [raws(VIDEO), raws(a_reaction(VIDEO, bob)), raws(a_reaction(VIDEO, carol))]
    for batch in batches:
        delivery.write(batch)

    first = delivery.projector.run_pass(now=NOW)
    delivery.project()

    assert first.more
    assert 2 == stats(delivery)["likes"]


def test_a_vanished_person_who_comes_back_is_counted_again(delivery):
    delivery.deliver([raws(VIDEO, a_reaction(VIDEO, bob)), raws(a_vanish(bob, at=50))])
    assert 0 == stats(delivery)["likes"]

    delivery.deliver([raws(a_reaction(VIDEO, bob, at=51))])

    assert 1 == stats(delivery)["likes"]
