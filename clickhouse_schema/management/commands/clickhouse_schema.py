"""Writes clickhouse_schema/schema.sql, the schema as the migrations have made it."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema import dump
from clickhouse_schema.migrator import server_words
from funnel.clickhouse import ClickhouseError, clickhouse

SCHEMA = Path(dump.__file__).parent / "schema.sql"


class Command(BaseCommand):
    help = "Writes the definitions of the database's tables and views to schema.sql, by name."
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Exit with 1 when schema.sql is not what the database has; write nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            schema = dump.dump_schema(clickhouse)
        except ClickhouseError as error:
            raise CommandError(f"{error} {server_words(error)}") from error
        if not options["check"]:
            SCHEMA.write_text(schema)
            self.stdout.write(f"Wrote {SCHEMA}.")
            return
        written = SCHEMA.read_text() if SCHEMA.exists() else ""
        if written != schema:
            difference = difflib.unified_diff(
                written.splitlines(), schema.splitlines(), "schema.sql", "database", lineterm=""
            )
            raise CommandError(
                "schema.sql is not what the database has: run `clickhouse_schema` after"
                " `clickhouse_migrate`.\n" + "\n".join(difference)
            )
