"""A real ClickHouse for the tests: `manage.py clickhouse_local` as a child process."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from clickhouse_schema.management.commands.clickhouse_schema import SCHEMA
from clickhouse_schema.migrator import (
    MIGRATIONS,
    Migrator,
    Record,
    State,
    read_migrations,
    split_statements,
)
from funnel.clickhouse import ClickhouseSettings
from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10
PASSWORD = "of the tests"
TABLE = re.compile(r"^CREATE TABLE (?P<name>\w+)", re.MULTILINE)


def migrate(settings: ClickhouseSettings) -> None:
    """Makes the database, which is not there, with the whole schema."""
    migrator = Migrator(settings, read_migrations(MIGRATIONS))
    migrator.prepare()
    for migration in migrator.migrations:
        migrator.apply(migration)
    migrator.close()


def make_schema(settings: ClickhouseSettings) -> None:
    """As migrate(), in a fifth of the time: from schema.sql.

    tests/clickhouse_schema/test_schema_dump.py says that both make the same.
    """
    migrator = Migrator(settings, read_migrations(MIGRATIONS))
    migrator.prepare()
    statements = split_statements(SCHEMA.read_text())
    # Views are made of tables.
    for statement in sorted(statements, key=lambda statement: not TABLE.search(statement)):
        table = TABLE.search(statement)
        if not (table and table["name"] == "schema_migrations"):
            migrator.database.command(statement)
    records = [
        Record(
            name=migration.name,
            state=State.APPLIED,
            checksum=migration.checksum,
            statements_done=len(migration.statements),
            version=1,
        )
        for migration in migrator.migrations
    ]
    columns = [field.name for field in dataclasses.fields(Record)]
    migrator.database.insert(
        "schema_migrations", columns, [dataclasses.astuple(record) for record in records]
    )
    migrator.close()


class LocalServer:
    """Owns `directory`. Listens on a free port of 127.0.0.1, the same one after each start()."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.backups = directory / "backups"
        self.log = directory / "clickhouse_local.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")
        }
        environment |= {
            "DJANGO_SETTINGS_MODULE": "funnel.settings",
            "SECRET_KEY": "tests",
            "LOG_JSON": "true",
            "LOG_LEVEL": "INFO",
            "CLICKHOUSE_URL": "clickhouse://default@127.0.0.1",
            "CLICKHOUSE_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "manage.py", "clickhouse_local", f"--path={self.data}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--port={self.port}", f"--backups={self.backups}"],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_until_ready()
        except AssertionError:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if "clickhouse_local_ready" in self.log.read_text():
                return
            self.assert_alive()
            time.sleep(0.02)
        raise AssertionError(f"clickhouse_local is not ready. {self.last_words()}")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def assert_alive(self) -> None:
        status = self.process.poll() if self.process else None
        assert status is None, f"clickhouse_local ended with {status}. {self.last_words()}"

    def last_words(self) -> str:
        return "Its log ends:\n" + self.log.read_text()[-2000:]

    def migrate(self, database: str) -> ClickhouseSettings:
        """Makes a database with the whole schema; how to reach it."""
        settings = self.settings(database)
        migrate(settings)
        return settings

    def settings(self, database: str = "") -> ClickhouseSettings:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "secure": False,
            "user": "default",
            "password": PASSWORD,
            "database": database,
            "connect_seconds": 5,
            "query_seconds": 20,
            "readonly": False,
        }
