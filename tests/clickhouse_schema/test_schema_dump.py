"""schema.sql: the schema as ClickHouse has it, written and compared."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from clickhouse_schema.dump import dump_schema, without_database
from clickhouse_schema.management.commands import clickhouse_schema
from clickhouse_schema.migrator import MIGRATIONS, Migrator, State, read_migrations
from funnel.clickhouse import Clickhouse, ClickhouseSettings
from tests.clickhouse_server import migrate


def applied(door: Clickhouse) -> list[tuple[str, str, int]]:
    migrator = Migrator(door.settings, read_migrations(MIGRATIONS))
    records = migrator.records()
    migrator.close()
    assert {State.APPLIED} == {record.state for record in records}
    return sorted((record.name, record.checksum, record.statements_done) for record in records)


@pytest.fixture
def migrated(clickhouse_server: ClickhouseSettings) -> Iterator[Clickhouse]:
    """A database that the migrations have made."""
    door = Clickhouse({**clickhouse_server, "database": f"migrated_{os.getpid()}"})
    migrate(door.settings)
    yield door
    door.command(f"DROP DATABASE {door.settings['database']} SYNC")
    door.close()


def test_the_committed_schema_is_what_the_migrations_make(migrated, clickhouse):
    assert clickhouse_schema.SCHEMA.read_text() == dump_schema(migrated)
    # The tests' own, which may be made from it.
    assert dump_schema(migrated) == dump_schema(clickhouse)
    assert applied(migrated) == applied(clickhouse)
    call_command("clickhouse_schema", "--check")


def test_the_schema_names_every_object_once_and_no_database(clickhouse):
    schema = dump_schema(clickhouse)

    assert 1 == schema.count("CREATE TABLE events_local\n")
    assert 1 == schema.count("CREATE TABLE schema_migrations\n")
    assert clickhouse.settings["database"] not in schema


def test_the_database_is_taken_off_names_only():
    definition = "CREATE VIEW nostr.a TO `nostr`.`b` AS SELECT 'nostr.c', nostr.d.e FROM my_nostr.f"

    assert "CREATE VIEW a TO `b` AS SELECT 'nostr.c', d.e FROM my_nostr.f" == without_database(
        definition, "nostr"
    )


def test_a_schema_that_differs_fails_the_check_and_is_written_anew(
    clickhouse, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(clickhouse_schema, "SCHEMA", tmp_path / "schema.sql")
    with pytest.raises(CommandError, match=r"schema\.sql is not what the database has"):
        call_command("clickhouse_schema", "--check")

    call_command("clickhouse_schema")

    assert dump_schema(clickhouse) == (tmp_path / "schema.sql").read_text()
    call_command("clickhouse_schema", "--check")
