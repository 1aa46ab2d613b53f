"""Migrations: what is read, what is refused, what is recorded, and the commands around it."""

from __future__ import annotations

import contextlib
import itertools
import os

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from clickhouse_schema.management.commands import clickhouse_migrate
from clickhouse_schema.migrator import (
    MIGRATIONS,
    MigrationError,
    Migrator,
    Record,
    State,
    conflicts,
    pending,
    read_migrations,
    split_statements,
)
from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query

numbers = itertools.count()

OBJECTS = parse_query(
    "tests.objects",
    """-- Everything in this database.
    SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name
    """,
)
DATABASES = parse_query(
    "tests.databases",
    """-- How many databases of a name there are.
    SELECT count() AS databases FROM system.databases WHERE name = {database_name:String}
    """,
)

CREATE_CATS = """-- Cats.
CREATE TABLE IF NOT EXISTS cats (name String)
ENGINE = MergeTree ORDER BY name;
"""
CREATE_DOGS = """-- Dogs; and what they eat.
CREATE TABLE IF NOT EXISTS dogs (name String) ENGINE = MergeTree ORDER BY name;

CREATE TABLE IF NOT EXISTS food (name String) ENGINE = MergeTree ORDER BY name;
"""
BREAKS_HALFWAY = """-- The second statement fails.
CREATE TABLE IF NOT EXISTS birds (name String) ENGINE = MergeTree ORDER BY name;
CREATE TABLE IF NOT EXISTS nests (name Nest) ENGINE = MergeTree ORDER BY name;
CREATE TABLE IF NOT EXISTS trees (name String) ENGINE = MergeTree ORDER BY name;
"""


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty directory of migrations, which `clickhouse_migrate` reads."""
    monkeypatch.setattr(clickhouse_migrate, "MIGRATIONS", tmp_path)
    return tmp_path


@pytest.fixture
def database(clickhouse_server, monkeypatch):
    """The settings of a database that does not exist yet, which `clickhouse_migrate` works on."""
    name = f"migrator_tests_{os.getpid()}_{next(numbers)}"
    monkeypatch.setitem(settings.CLICKHOUSE, "default", {**clickhouse_server, "database": name})
    yield settings.CLICKHOUSE["default"]
    with contextlib.closing(Clickhouse(clickhouse_server)) as server:
        server.command(f"DROP DATABASE IF EXISTS {name} SYNC")


def write(directory, **files):
    for name, text in files.items():
        (directory / f"{name.removeprefix('_')}.sql").write_text(text)


def objects_in(database):
    with contextlib.closing(Clickhouse(database)) as door:
        return [row["name"] for row in door.select(OBJECTS, {})]


def records_in(database):
    with contextlib.closing(Migrator(database, [])) as migrator:
        return {record.name: record for record in migrator.records()}


def migrate(*arguments):
    call_command("clickhouse_migrate", *arguments)


# --- Files ----------------------------------------------------------------------------------------


def test_statements_end_with_a_semicolon_at_the_end_of_a_line():
    text = "-- Two; of them;\nSELECT 1;\n\n-- Second;\nSELECT ';' AS a,\n    2;  \n-- The end;\n"

    assert [
        "-- Two; of them;\nSELECT 1",
        "-- Second;\nSELECT ';' AS a,\n    2",
    ] == split_statements(text)


def test_a_last_statement_needs_no_semicolon():
    assert ["SELECT 1", "SELECT 2"] == split_statements("SELECT 1;\nSELECT 2")


def test_a_file_with_nothing_but_comments_has_no_statement():
    assert [] == split_statements("-- Nothing;\n\n-- at all.\n;\n")


def test_files_are_read_in_order_with_their_checksum(directory):
    write(directory, _0002_create_dogs=CREATE_DOGS, _0001_create_cats=CREATE_CATS)

    cats, dogs = read_migrations(directory)

    assert ["0001_create_cats", "0002_create_dogs"] == [cats.name, dogs.name]
    assert [1, 2] == [len(cats.statements), len(dogs.statements)]
    assert 64 == len(cats.checksum)
    assert cats.checksum != dogs.checksum


def test_only_the_first_line_marks_a_file_that_rewrites_data(directory):
    write(
        directory,
        _0001_fill_cats="-- blocking: true\n-- Why.\nSELECT 1;",
        _0002_fill_dogs="-- Why.\n-- blocking: true\nSELECT 1;",
    )

    assert [True, False] == [migration.blocking for migration in read_migrations(directory)]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["0001_create_cats", "0003_create_dogs"], "Migration number 0002 is missing."),
        (["0002_create_cats"], "Migration number 0001 is missing."),
        (["0001_create_cats", "0001_create_dogs"], "Migration number 0001 is there twice."),
        (["1_create_cats"], "1_create_cats.sql is not named like 0001_create_events.sql."),
        (["0001_cats"], "0001_cats.sql is not named like 0001_create_events.sql."),
        (["0001_Create_cats"], "0001_Create_cats.sql is not named like 0001_create_events.sql."),
    ],
)
def test_a_wrong_name_or_number_is_refused(directory, names, sentence):
    write(directory, **dict.fromkeys(names, CREATE_CATS))

    with pytest.raises(MigrationError) as refused:
        read_migrations(directory)

    assert sentence == str(refused.value)


def test_a_file_without_a_statement_is_refused(directory):
    write(directory, _0001_create_cats="-- Later.\n")

    with pytest.raises(MigrationError, match=r"0001_create_cats\.sql has no statement"):
        read_migrations(directory)


# --- Plans ----------------------------------------------------------------------------------------


def a_record(migration, *, state=State.APPLIED, checksum=None, done=1):
    return Record(migration.name, state, checksum or migration.checksum, done, 1)


@pytest.fixture
def files(directory):
    write(directory, _0001_create_cats=CREATE_CATS, _0002_create_dogs=CREATE_DOGS)
    return read_migrations(directory)


def test_what_is_not_recorded_is_pending_in_order(files):
    cats, dogs = files

    assert [cats, dogs] == pending(files, [])
    assert [dogs] == pending(files, [a_record(cats)])
    assert [] == conflicts(files, [a_record(cats)])


def test_what_was_resolved_as_pending_is_pending(files):
    cats, dogs = files
    records = [a_record(cats), a_record(dogs, state=State.PENDING)]

    assert [dogs] == pending(files, records)
    assert [] == conflicts(files, records)


def test_what_is_started_is_refused_and_not_pending(files):
    cats, dogs = files
    records = [a_record(cats), a_record(dogs, state=State.STARTED)]

    [sentence] = conflicts(files, records)

    assert [] == pending(files, records)
    assert sentence.startswith("0002_create_dogs is half-applied: 1 of 2 statements are done.")


def test_a_changed_file_is_refused(files):
    [sentence] = conflicts(files, [a_record(files[0], checksum="other")])

    assert sentence.startswith("0001_create_cats was changed after it was applied")


def test_an_applied_file_that_is_gone_is_refused(files):
    [sentence] = conflicts(files[:1], [a_record(file) for file in files])

    assert "0002_create_dogs is applied, but its file is not here." == sentence


def test_a_file_that_comes_before_an_applied_one_is_refused(files):
    [sentence] = conflicts(files, [a_record(files[1])])

    assert sentence.startswith("0001_create_cats is not applied, but 0002_create_dogs")


def test_every_statement_of_the_schema_can_be_run_twice(database):
    """As after a crash between a statement and the record of it."""
    migrator = Migrator(database, read_migrations(MIGRATIONS))
    with contextlib.closing(migrator):
        migrator.prepare()
        for migration in migrator.migrations:
            for statement in migration.statements:
                for _ in range(2):
                    migrator.database.command(statement)


# --- The command ----------------------------------------------------------------------------------


def test_migrating_makes_the_database_and_applies_what_is_pending(directory, database, capsys):
    write(directory, _0001_create_cats=CREATE_CATS, _0002_create_dogs=CREATE_DOGS)

    migrate()

    assert ["cats", "dogs", "food", "schema_migrations"] == objects_in(database)
    assert {"0001_create_cats": 1, "0002_create_dogs": 2} == {
        name: record.statements_done for name, record in records_in(database).items()
    }
    assert {State.APPLIED} == {record.state for record in records_in(database).values()}
    assert "Applied 0001_create_cats.\nApplied 0002_create_dogs.\n" == capsys.readouterr().out


def test_migrating_again_changes_nothing(directory, database, capsys):
    write(directory, _0001_create_cats=CREATE_CATS)
    migrate()
    before = records_in(database)
    capsys.readouterr()

    migrate()

    assert before == records_in(database)
    assert "Nothing to apply.\n" == capsys.readouterr().out


def test_a_new_file_is_applied_on_top(directory, database, capsys):
    write(directory, _0001_create_cats=CREATE_CATS)
    migrate()
    write(directory, _0002_create_dogs=CREATE_DOGS)
    capsys.readouterr()

    migrate()

    assert "Applied 0002_create_dogs.\n" == capsys.readouterr().out


def test_the_plan_is_the_pending_sql_and_changes_nothing(directory, database, capsys):
    write(directory, _0001_create_cats=CREATE_CATS)

    migrate("--plan")

    assert f"-- 0001_create_cats\n{CREATE_CATS}\n" == capsys.readouterr().out
    with contextlib.closing(Clickhouse(database | {"database": ""})) as server:
        named = {"database_name": database["database"]}
        assert [{"databases": 0}] == server.select(DATABASES, named)


def test_the_check_passes_only_when_all_is_applied(directory, database, capsys):
    write(directory, _0001_create_cats=CREATE_CATS)
    with pytest.raises(CommandError, match="0001_create_cats is not applied"):
        migrate("--check")

    migrate()
    capsys.readouterr()
    migrate("--check")

    assert "The schema is current.\n" == capsys.readouterr().out


def test_a_changed_applied_file_stops_everything(directory, database):
    write(directory, _0001_create_cats=CREATE_CATS)
    migrate()
    write(directory, _0001_create_cats=CREATE_CATS + "\n", _0002_create_dogs=CREATE_DOGS)

    for arguments in ([], ["--plan"], ["--check"]):
        with pytest.raises(CommandError, match="0001_create_cats was changed"):
            migrate(*arguments)

    assert ["cats", "schema_migrations"] == objects_in(database)


@pytest.fixture
def half_applied(directory, database):
    """A database in which one of three statements of 0001_create_birds is done."""
    write(directory, _0001_create_birds=BREAKS_HALFWAY)
    with pytest.raises(CommandError) as failed:
        migrate()
    assert str(failed.value).startswith("0001_create_birds failed at statement 2 of 3: Code: 50.")
    assert "Nest" in str(failed.value)
    return database


def test_a_migration_that_fails_halfway_is_recorded_as_such(half_applied):
    record = records_in(half_applied)["0001_create_birds"]

    assert State.STARTED == record.state
    assert 1 == record.statements_done
    assert ["birds", "schema_migrations"] == objects_in(half_applied)


def test_a_half_applied_migration_is_refused_until_it_is_resolved(half_applied):
    for arguments in ([], ["--plan"], ["--check"]):
        with pytest.raises(CommandError, match="half-applied: 1 of 3 statements are done"):
            migrate(*arguments)


def test_resolved_as_pending_it_is_applied_again_from_its_corrected_file(half_applied, directory):
    write(directory, _0001_create_birds=BREAKS_HALFWAY.replace("Nest)", "String)"))

    migrate("--resolve", "0001_create_birds", "pending")
    migrate()

    assert ["birds", "nests", "schema_migrations", "trees"] == objects_in(half_applied)
    migrate("--check")


def test_resolved_as_applied_it_is_taken_for_finished(half_applied):
    migrate("--resolve", "0001_create_birds", "applied")

    migrate("--check")
    assert ["birds", "schema_migrations"] == objects_in(half_applied)


@pytest.mark.parametrize("name", ["0001_create_cats", "0009_nothing_known"])
def test_only_a_half_applied_migration_can_be_resolved(directory, database, name):
    write(directory, _0001_create_cats=CREATE_CATS)
    migrate()

    with pytest.raises(CommandError, match=f"{name} is not half-applied"):
        migrate("--resolve", name, "pending")


def test_a_migration_is_resolved_as_applied_or_pending(half_applied):
    with pytest.raises(CommandError, match="applied or pending"):
        migrate("--resolve", "0001_create_birds", "started")


def test_a_migration_that_rewrites_data_waits_for_force(directory, database):
    write(directory, _0001_create_cats=CREATE_CATS)
    migrate()
    write(directory, _0002_create_dogs=f"-- blocking: true\n{CREATE_DOGS}")
    with pytest.raises(CommandError, match="0002_create_dogs rewrites data"):
        migrate()
    assert ["cats", "schema_migrations"] == objects_in(database)

    migrate("--force")

    assert ["cats", "dogs", "food", "schema_migrations"] == objects_in(database)


def test_in_a_new_database_there_is_nothing_to_rewrite(directory, database):
    write(directory, _0001_create_cats=f"-- blocking: true\n{CREATE_CATS}")

    migrate()

    assert ["cats", "schema_migrations"] == objects_in(database)


def test_a_server_that_is_away_is_one_sentence(directory, monkeypatch):
    unreachable = {**settings.CLICKHOUSE["default"], "host": "127.0.0.1", "port": 1}
    monkeypatch.setitem(settings.CLICKHOUSE, "default", unreachable)

    with pytest.raises(CommandError, match=r"^ClickHouse is not available \(code 210\)\."):
        migrate()
