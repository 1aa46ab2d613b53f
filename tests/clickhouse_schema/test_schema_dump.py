"""schema.sql: the schema as ClickHouse has it, written and compared."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from clickhouse_schema.dump import dump_schema, without_database
from clickhouse_schema.management.commands import clickhouse_schema


def test_the_committed_schema_is_what_the_migrations_make(clickhouse):
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
