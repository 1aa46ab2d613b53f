"""What arrives is looked at once where that is enough, and again where it may not have been."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse
from funnel.sql import load_query, parse_query
from ingestion import writer
from tests.builders import (
    T,
    a_deletion,
    a_reaction,
    a_video,
    a_view,
    alice,
    as_json,
    bob,
    carol,
    dave,
)
from tests.clickhouse_schema.lively_day import rows
from tests.clickhouse_schema.test_projector import INSERT_LATE
from tests.delivery import Delivery

NOW = T + 100_000
VIDEO = a_video(alice, "v1", title="cats")

# Three reactions that become visible together, after a second and a half.
SLOW_INSERT = parse_query(
    "tests.slow_insert",
    """-- An insert that takes long.
    INSERT INTO events_local (id, pubkey, created_at, kind, tags, content)
    SELECT
        leftPad(toString(number + sleepEachRow(0.5)), 64, 'f') AS id,
        leftPad(toString(number), 64, 'b') AS pubkey,
        {created_at:UInt32} AS created_at,
        7 AS kind,
        [['e', {target:String}]] AS tags,
        '+' AS content
    FROM numbers(3)
    """,
)
ANNOUNCE_AGAIN = load_query(writer.__file__, "announce_again")


@pytest.fixture
def delivery(clickhouse: Clickhouse) -> Delivery:
    return Delivery(clickhouse, now=NOW)


@pytest.fixture
def slow_insert(clickhouse: Clickhouse) -> Iterator[threading.Thread]:
    """An insert that is under way."""
    other = Clickhouse(clickhouse.settings)
    thread = threading.Thread(
        target=other.execute, args=(SLOW_INSERT, {"created_at": T, "target": VIDEO.id})
    )
    thread.start()
    time.sleep(0.5)
    yield thread
    thread.join()
    other.close()


def deliver(delivery: Delivery, *events) -> None:
    delivery.deliver([[as_json(event) for event in events]])


def video(delivery: Delivery) -> dict[str, Any]:
    (row,) = rows(delivery.clickhouse, "video_stats")
    return row


def test_an_insert_is_waited_for_until_it_is_complete(delivery, slow_insert):
    projector = Projector(delivery.clickhouse, one_server=True)
    projector.catch_up(now=NOW)
    delivery.write([as_json(VIDEO)])

    # It began after the one that is under way, and waits with it.
    assert 0 == projector.run_pass(now=NOW).events

    slow_insert.join()
    time.sleep(0.01)
    assert 4 == projector.run_pass(now=NOW).events
    assert 3 == video(delivery)["likes"]


def test_an_insert_that_hangs_is_not_waited_for(delivery, slow_insert, monkeypatch):
    monkeypatch.setattr("clickhouse_schema.projector.INSERT_WAIT_MS", 100)
    projector = Projector(delivery.clickhouse, one_server=True)
    projector.catch_up(now=NOW)
    delivery.write([as_json(VIDEO)])
    time.sleep(0.15)

    assert 1 == projector.run_pass(now=NOW).events

    slow_insert.join()
    projector.settle_ms = 0
    while projector.run_pass(now=NOW).events:
        pass
    assert 3 == video(delivery)["likes"]


def test_views_are_taken_in_with_other_events(delivery):
    deliver(delivery, VIDEO)
    delivery.projector.views_wait_ms = 3_600_000
    delivery.write([as_json(a_view(VIDEO, phase="start"))])

    waiting = delivery.projector.run_pass(now=NOW)
    assert 0 == waiting.events
    assert 0 < waiting.behind_seconds < 60
    assert 0 == video(delivery)["views"]

    delivery.write([as_json(a_reaction(VIDEO, bob))])
    assert 2 == delivery.projector.run_pass(now=NOW).events
    assert 1 == video(delivery)["views"]


def test_views_wait_no_longer_than_they_may(delivery):
    deliver(delivery, VIDEO)
    delivery.projector.views_wait_ms = 1
    delivery.write([as_json(a_view(VIDEO, phase="start"))])
    time.sleep(0.01)

    assert 1 == delivery.projector.run_pass(now=NOW).events


def test_views_do_not_wait_where_nothing_else_will_come(delivery):
    deliver(delivery, VIDEO)
    delivery.projector.views_wait_ms = 3_600_000

    deliver(delivery, a_view(VIDEO, phase="start"))

    assert 1 == video(delivery)["views"]


def settled(delivery: Delivery) -> int:
    """The events at which it looks once more when all that has arrived settles."""
    time.sleep(0.01)
    delivery.projector.settle_ms = 0
    return delivery.projector.run_pass(now=NOW).events


def test_what_was_complete_is_not_looked_at_again(delivery):
    deliver(delivery, VIDEO)
    deliver(delivery, a_reaction(VIDEO, bob))

    assert 0 == settled(delivery)
    assert 0 == settled(delivery)


def test_what_came_later_with_an_earlier_time_is_looked_at(delivery):
    deliver(delivery, VIDEO)
    deliver(delivery, a_reaction(VIDEO, bob))
    delivery.clickhouse.execute(
        INSERT_LATE,
        {
            "event_id": "ab" * 32,
            "pubkey": carol.pubkey,
            "created_at": T,
            "kind": 7,
            "target": VIDEO.id,
            "seconds": 30,
        },
    )

    assert 3 == settled(delivery)
    assert 2 == video(delivery)["likes"]


def test_what_another_projector_may_have_computed_is_looked_at_again(delivery):
    deliver(delivery, VIDEO)
    other = Delivery(delivery.clickhouse, now=NOW)
    deliver(other, a_reaction(VIDEO, bob))
    delivery.project()

    assert 2 == settled(delivery)
    deliver(delivery, a_reaction(VIDEO, carol))
    settled(delivery)
    deliver(delivery, a_reaction(VIDEO, dave))
    assert 0 == settled(delivery)


def test_where_inserts_go_through_several_servers_all_are_looked_at_twice(delivery):
    delivery.projector.one_server = False
    deliver(delivery, VIDEO)

    assert 1 == settled(delivery)
    assert 0 == settled(delivery)


def test_an_event_that_arrives_once_more_is_found_where_it_was_stored(delivery):
    door = delivery.clickhouse
    deletion = a_deletion(VIDEO)
    deliver(delivery, VIDEO)
    delivery.write([as_json(deletion)])
    # As an insert leaves it that came to an end half way.
    door.command("CREATE TABLE kept AS deletions")
    door.command("INSERT INTO kept SELECT * FROM deletions")
    door.command("TRUNCATE TABLE deletions")
    delivery.project()
    assert video(delivery)["live"]

    door.command("INSERT INTO deletions SELECT * FROM kept")
    door.execute(ANNOUNCE_AGAIN, {"ids": [deletion.id]})
    delivery.project()

    assert not video(delivery)["live"]
    door.command("DROP TABLE kept")


def test_while_there_is_something_new_the_rest_settles_later(delivery):
    deliver(delivery, VIDEO)
    settled(delivery)
    deliver(delivery, a_reaction(VIDEO, bob))
    # As if another projector had been at work.
    delivery.projector.version = 0
    delivery.write([as_json(a_reaction(VIDEO, carol))])

    assert 1 == settled(delivery)
    assert 2 == settled(delivery)
    assert 0 == settled(delivery)
    assert 2 == video(delivery)["likes"]


def test_what_arrivals_tell_is_not_touched_once_more(delivery):
    deliver(delivery, VIDEO, a_reaction(VIDEO, bob))

    touched = {row["what"] for row in rows(delivery.clickhouse, "touched")}
    assert "video" in touched
    assert "event" not in touched
