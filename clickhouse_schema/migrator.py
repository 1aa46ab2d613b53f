"""Brings a ClickHouse database to the schema of migrations/NNNN_verb_noun.sql, one file at a time.

What was done is recorded in the database itself, in `schema_migrations`. ClickHouse has no
transactions around DDL, so a file can be left half-applied; that is recorded too, and refused until
a person has looked at it.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from funnel.clickhouse import Clickhouse, ClickhouseError, ClickhouseSettings
from funnel.sql import load_query

MIGRATIONS = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(?P<number>\d{4})_[a-z0-9]+(_[a-z0-9]+)+\.sql", re.ASCII)
BLOCKING = "-- blocking: true"
# A backfill by INSERT … SELECT may take hours.
STATEMENT_SECONDS = 24 * 3600

COUNT_DATABASES = load_query(__file__, "count_databases")
COUNT_MIGRATION_TABLES = load_query(__file__, "count_migration_tables")
CREATE_DATABASE = load_query(__file__, "create_database")
CREATE_SCHEMA_MIGRATIONS = load_query(__file__, "create_schema_migrations")
READ_SCHEMA_MIGRATIONS = load_query(__file__, "read_schema_migrations")


class MigrationError(Exception):
    """A sentence for the operator: what is in the way, and what to do about it."""


class State(enum.StrEnum):
    PENDING = "pending"
    STARTED = "started"
    APPLIED = "applied"


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """A file. name: without `.sql`; checksum: sha256 of its bytes, hex; blocking: rewrites data."""

    name: str
    checksum: str
    statements: tuple[str, ...]
    blocking: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What the database says of a migration; the one with the greatest version counts."""

    name: str
    state: str
    checksum: str
    statements_done: int
    version: int


def read_migrations(directory: Path) -> list[Migration]:
    """The files in order. Raises MigrationError for a wrong name, a double or missing number, or a
    file without a statement."""
    migrations = []
    for number, path in enumerate(sorted(directory.glob("*.sql")), start=1):
        name = FILE_NAME.fullmatch(path.name)
        if not name:
            raise MigrationError(f"{path.name} is not named like 0001_create_events.sql.")
        if int(name["number"]) != number:
            wrong = "missing" if int(name["number"]) > number else "there twice"
            number_in_question = min(number, int(name["number"]))
            raise MigrationError(f"Migration number {number_in_question:04} is {wrong}.")
        text = path.read_text()
        statements = split_statements(text)
        if not statements:
            raise MigrationError(f"{path.name} has no statement.")
        migrations.append(
            Migration(
                name=path.stem,
                checksum=hashlib.sha256(path.read_bytes()).hexdigest(),
                statements=tuple(statements),
                blocking=text.startswith(BLOCKING + "\n"),
            )
        )
    return migrations


def split_statements(text: str) -> list[str]:
    """Statements end with a semicolon at a line's end; comments stay with what they precede."""
    statements = []
    lines: list[str] = []
    for line in [*text.splitlines(), ";"]:
        is_comment = line.lstrip().startswith("--")
        if is_comment or not line.rstrip().endswith(";"):
            lines.append(line)
            continue
        lines.append(line.rstrip().removesuffix(";"))
        if any(code.strip() and not code.lstrip().startswith("--") for code in lines):
            statements.append("\n".join(lines).strip())
        lines = []
    return statements


def pending(migrations: Iterable[Migration], records: Iterable[Record]) -> list[Migration]:
    """What is still to be applied, in order."""
    done = {record.name for record in records if record.state != State.PENDING}
    return [migration for migration in migrations if migration.name not in done]


def conflicts(migrations: Sequence[Migration], records: Sequence[Record]) -> list[str]:
    """Why nothing may be applied now: a sentence each, none when all is well."""
    files = {migration.name: migration for migration in migrations}
    known = [record for record in records if record.state != State.PENDING]
    newest_done = max((record.name for record in known), default="")
    sentences = []
    for record in known:
        file = files.get(record.name)
        if record.state == State.STARTED:
            of = f" of {len(file.statements)}" if file else ""
            sentences.append(
                f"{record.name} is half-applied: {record.statements_done}{of} statements are done."
                " If no other process is applying it just now, look at the database, then run"
                f" `clickhouse_migrate --resolve {record.name} pending` to apply it again from its"
                f" first statement, or `--resolve {record.name} applied` once finished by hand."
            )
        elif file is None:
            sentences.append(f"{record.name} is applied, but its file is not here.")
        elif file.checksum != record.checksum:
            sentences.append(
                f"{record.name} was changed after it was applied:"
                " restore the file and put the change into a new migration."
            )
    sentences += [
        f"{migration.name} is not applied, but {newest_done}, which comes later, is:"
        " give it the next number."
        for migration in pending(migrations, records)
        if migration.name < newest_done
    ]
    return sentences


class Migrator:
    """Applies `migrations` to the database that `settings` names. One process at a time.

    Every method raises ClickhouseError when ClickHouse does not do its part.
    """

    def __init__(self, settings: ClickhouseSettings, migrations: Sequence[Migration]) -> None:
        patient: ClickhouseSettings = {**settings, "query_seconds": STATEMENT_SECONDS}
        self.name = settings["database"]
        self.migrations = migrations
        # A connection cannot name a database that does not exist yet.
        self.server = Clickhouse({**patient, "database": ""})
        self.database = Clickhouse(patient)

    def close(self) -> None:
        self.server.close()
        self.database.close()

    def records(self) -> list[Record]:
        """What is recorded, by name; nothing when there is no database yet. Changes nothing."""
        named = {"database_name": self.name}
        if not self.server.select(COUNT_MIGRATION_TABLES, named)[0]["tables"]:
            return []
        return [Record(**row) for row in self.database.select(READ_SCHEMA_MIGRATIONS, {})]

    def prepare(self) -> None:
        """Makes the database and its record of migrations where they are missing."""
        named = {"database_name": self.name}
        # Asked first, because an account may use a database without being allowed to create one.
        if not self.server.select(COUNT_DATABASES, named)[0]["databases"]:
            self.server.execute(CREATE_DATABASE, named)
        self.database.execute(CREATE_SCHEMA_MIGRATIONS, {})

    def apply(self, migration: Migration) -> None:
        """Runs a pending migration, each statement recorded when it is done.

        Raises MigrationError with ClickHouse's own words when a statement fails.
        """
        count = len(migration.statements)
        record = Record(
            name=migration.name,
            state=State.STARTED,
            checksum=migration.checksum,
            statements_done=0,
            version=max((r.version for r in self.records() if r.name == migration.name), default=0),
        )
        record = self.write(record)
        for done, statement in enumerate(migration.statements, start=1):
            try:
                self.database.command(statement)
            except ClickhouseError as error:
                raise MigrationError(
                    f"{migration.name} failed at statement {done} of {count}: {server_words(error)}"
                ) from error
            state = State.APPLIED if done == count else State.STARTED
            record = self.write(dataclasses.replace(record, state=state, statements_done=done))

    def resolve(self, name: str, state: State) -> None:
        """Says how a half-applied migration ended: PENDING has it applied again from its first
        statement, APPLIED takes it for finished with the file as it is now.

        Raises MigrationError for a migration that is not half-applied.
        """
        record = next((record for record in self.records() if record.name == name), None)
        if record is None or record.state != State.STARTED:
            raise MigrationError(f"{name} is not half-applied.")
        migration = next((file for file in self.migrations if file.name == name), None)
        if state is State.PENDING:
            self.write(dataclasses.replace(record, state=state, statements_done=0))
        elif migration is None:
            raise MigrationError(f"The file of {name} is not here.")
        else:
            self.write(
                dataclasses.replace(
                    record,
                    state=state,
                    checksum=migration.checksum,
                    statements_done=len(migration.statements),
                )
            )

    def write(self, record: Record) -> Record:
        """Records it over what was recorded before; returns it with its new version."""
        record = dataclasses.replace(record, version=record.version + 1)
        self.database.insert(
            "schema_migrations", [*dataclasses.asdict(record)], [dataclasses.astuple(record)]
        )
        return record


def server_words(error: ClickhouseError) -> str:
    """What the server said, without its stack trace. For the operator's terminal only."""
    return str(error.__cause__ or error).partition("Stack trace:")[0].strip()
