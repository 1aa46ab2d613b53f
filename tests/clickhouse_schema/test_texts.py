"""What a search looks into is written when a version or a name changes, and only then."""

from __future__ import annotations

import re
from typing import Any

import pytest

from clickhouse_schema.migrator import MIGRATIONS
from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse, ClickhouseUnavailable
from funnel.nostr import Event
from tests.builders import (
    T,
    a_deletion,
    a_profile,
    a_reaction,
    a_video,
    alice,
    as_json,
    bob,
    carol,
)
from tests.clickhouse_schema.lively_day import DELIVERED, rows
from tests.clickhouse_schema.test_projector import BreakingDoor, put_behind
from tests.delivery import Delivery

NOW = T + 100_000
VIDEO = a_video(alice, "v1", title="Cats", content="and dogs")


@pytest.fixture
def delivery(clickhouse: Clickhouse) -> Delivery:
    return Delivery(clickhouse, now=NOW)


def raws(*events: Event) -> list[dict[str, Any]]:
    return [as_json(event) for event in events]


def words(delivery: Delivery, of: Event = VIDEO) -> list[str]:
    """The words that stand for a video of one author."""
    [row] = [row for row in rows(delivery.clickhouse, "video_texts") if row["pubkey"] == of.pubkey]
    return re.findall(r"BB(\w+?)E", row["texts"])


def versions(delivery: Delivery) -> list[int]:
    return sorted(row["version"] for row in rows(delivery.clickhouse, "video_texts"))


def test_what_is_said_about_a_video_writes_nothing(delivery):
    delivery.deliver([raws(VIDEO, a_profile(alice, name="ally"))])
    before = versions(delivery)

    delivery.deliver(
        [raws(a_reaction(VIDEO, bob), a_profile(alice, name="ally", about="news", at=5))]
    )

    assert before == versions(delivery)


def test_names_and_versions_are_followed(delivery):
    delivery.deliver([raws(VIDEO), raws(a_profile(alice, name="ally", at=1))])
    assert ["cats", "and", "dogs", "ally"] == words(delivery)

    expiring = a_profile(alice, name="short", at=2)
    delivery.deliver([raws(expiring, a_video(alice, "v1", title="Birds", at=2))])
    assert ["birds", "short"] == words(delivery)

    delivery.deliver([raws(a_deletion(expiring, by=alice, at=3))])
    assert ["birds"] == words(delivery)


@pytest.mark.parametrize("breaks_at", ["touch_texts", "project_texts", "write_state"])
def test_a_pass_that_broke_is_taken_up_after_a_restart(breaks_at, delivery):
    delivery.deliver([raws(VIDEO)])
    delivery.write(raws(a_profile(alice, name="ally"), a_video(alice, "v1", title="Birds", at=1)))
    broken = Projector(BreakingDoor(delivery.clickhouse, breaks_at), lag_seconds=-1)
    with pytest.raises(ClickhouseUnavailable):
        broken.run_pass(now=NOW)

    Delivery(delivery.clickhouse, now=NOW, just_started=True).project()

    assert ["birds", "ally"] == words(delivery)


def with_a_name_that_waits(delivery) -> None:
    delivery.deliver([raws(VIDEO)])
    delivery.projector.rest.wait_seconds = 3600
    delivery.write(raws(a_profile(alice, name="ally")))
    delivery.projector.run_pass(now=NOW)
    assert ["cats", "and", "dogs"] == words(delivery)


def test_a_name_may_wait_until_there_is_nothing_else_to_do(delivery):
    with_a_name_that_waits(delivery)

    delivery.project()

    assert ["cats", "and", "dogs", "ally"] == words(delivery)


def test_a_name_waits_no_longer_than_it_may(delivery):
    with_a_name_that_waits(delivery)
    delivery.projector.rest.wait_seconds = 0

    delivery.deliver([raws(a_reaction(VIDEO, bob))])

    assert ["cats", "and", "dogs", "ally"] == words(delivery)


def test_a_name_that_waits_is_not_lost_with_a_pass_that_broke(delivery):
    with_a_name_that_waits(delivery)
    put_behind(delivery.projector, BreakingDoor(delivery.clickhouse, "project_texts"))
    with pytest.raises(ClickhouseUnavailable):
        delivery.project()
    put_behind(delivery.projector, delivery.clickhouse)

    delivery.project()

    assert ["cats", "and", "dogs", "ally"] == words(delivery)


def test_a_name_that_waits_is_not_lost_with_the_projector(delivery):
    with_a_name_that_waits(delivery)

    Delivery(delivery.clickhouse, now=NOW, just_started=True).project()

    assert ["cats", "and", "dogs", "ally"] == words(delivery)


def test_the_migration_writes_what_the_projector_would(delivery):
    delivery.deliver(DELIVERED)
    delivery.deliver([raws(a_profile(carol, name="Carol", display_name="C."))])
    door = delivery.clickhouse
    before = rows(door, "video_texts", "version")
    door.command("TRUNCATE TABLE video_texts")

    migration = (MIGRATIONS / "0012_create_video_texts.sql").read_text()
    door.command("INSERT " + migration.partition("\nINSERT")[2].strip().removesuffix(";"))

    assert len(before) > 3
    assert before == rows(door, "video_texts", "version")
