"""Migrations on a database that has events, and gets more meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator

import pytest

from clickhouse_schema.migrator import MIGRATIONS, Migrator, read_migrations
from clickhouse_schema.rebuild import Rebuild
from funnel.clickhouse import Clickhouse, ClickhouseSettings
from funnel.sql import parse_query
from tests.builders import a_reaction, a_video, alice, as_json, bob
from tests.clickhouse_schema.lively_day import DELIVERED, NOW, answers, facts
from tests.delivery import Delivery

# Who vanished is forgotten in Django's database too.
pytestmark = pytest.mark.django_db

numbers = itertools.count()

# The migrations that move data come after so many.
OLDER = 26

LAYOUT = parse_query(
    "tests.layout",
    """-- How the acts are ordered.
    SELECT primary_key FROM system.tables
    WHERE database = currentDatabase() AND name = 'engagement'
    """,
)


@pytest.fixture
def older(clickhouse_server: ClickhouseSettings) -> Iterator[Migrator]:
    """The migrator of a database in which none of the migrations that move data is applied."""
    name = f"migrated_tests_{os.getpid()}_{next(numbers)}"
    migrator = Migrator({**clickhouse_server, "database": name}, read_migrations(MIGRATIONS))
    with contextlib.closing(migrator):
        migrator.prepare()
        for migration in migrator.migrations[:OLDER]:
            migrator.apply(migration)
        yield migrator
        migrator.database.command(f"DROP DATABASE {name} SYNC")


@pytest.fixture
def door(older: Migrator) -> Iterator[Clickhouse]:
    with contextlib.closing(Clickhouse(older.database.settings)) as door:
        yield door


# Copied, exchanged, put away, there again, dropped.
@pytest.mark.parametrize("statements", [8, 9, 10, 11, 13])
def test_a_migration_that_broke_off_is_applied_from_its_start(older, door, statements):
    """Whichever statement of 0028 was the last, and whatever came before it was tried again."""
    delivery = Delivery(door, now=NOW)
    delivery.write(DELIVERED[0])
    before = facts(door)
    pack_versions, hash_targets = older.migrations[OLDER : OLDER + 2]
    older.apply(pack_versions)
    for statement in hash_targets.statements[:statements]:
        older.database.command(statement)
    video = a_video(alice, "meanwhile", at=10)
    delivery.write([as_json(video), as_json(a_reaction(video, by=bob, via="both", at=20))])

    older.apply(hash_targets)

    after = facts(door)
    assert len(before["engagement"]) + 2 == len(after["engagement"])
    assert all(row in after["engagement"] for row in before["engagement"])
    assert "cityHash64" in door.select(LAYOUT, {})[0]["primary_key"]


def test_events_of_before_and_meanwhile_count_as_a_rebuild_has_them(older, door):
    delivery = Delivery(door, now=NOW, trust_seeds=(bob.pubkey,))
    delivery.write(DELIVERED[0])
    video = a_video(alice, "meanwhile", at=10)
    meanwhile = [video, *(a_reaction(video, by=bob, at=20 + n) for n in range(1000))]
    is_migrated = threading.Event()
    written = 0

    def keep_writing() -> None:
        nonlocal written
        with contextlib.closing(Clickhouse(older.database.settings)) as other:
            for event in meanwhile:
                if is_migrated.is_set():
                    return
                Delivery(other, now=NOW).write([as_json(event)])
                written += 1

    thread = threading.Thread(target=keep_writing)
    thread.start()
    try:
        for migration in older.migrations[OLDER:]:
            older.apply(migration)
    finally:
        is_migrated.set()
        thread.join()
    delivery.project()
    facts_after, answers_after = facts(door), answers(door)

    # From the raw events alone, each of which comes by itself.
    delivery.projector.settle_ms = 0
    Rebuild(door, delivery.projector, progress=lambda *_: None, clock=lambda: NOW).rebuild_facts()
    delivery.projector.catch_up(now=NOW)
    assert written > 1
    assert facts(door) == facts_after
    assert answers(door) == answers_after
