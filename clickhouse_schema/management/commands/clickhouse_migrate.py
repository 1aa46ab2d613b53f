"""Applies what is pending of clickhouse_schema/migrations/."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.cluster import for_cluster
from clickhouse_schema.migrator import (
    BLOCKING,
    MIGRATIONS,
    Migration,
    MigrationError,
    Migrator,
    State,
    conflicts,
    pending,
    read_migrations,
    server_words,
)
from funnel.clickhouse import ClickhouseError, ClickhouseSettings


class Command(BaseCommand):
    help = (
        "Creates the ClickHouse database if it is missing and applies the migrations that are"
        " pending, in order. Can be run again at any time."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument(
            "--plan", action="store_true", help="Print the SQL that is pending; change nothing."
        )
        mode.add_argument(
            "--check",
            action="store_true",
            help="Exit with 1 when something is pending, half-applied or changed; change nothing.",
        )
        mode.add_argument(
            "--resolve",
            nargs=2,
            metavar=("NAME", "applied|pending"),
            help="Say how a half-applied migration ended. `pending`: apply it again from its first"
            " statement, which is safe as every statement may run twice. `applied`: its remaining"
            " statements were run by hand.",
        )
        parser.add_argument(
            "--force", action="store_true", help=f"Also apply files that begin `{BLOCKING}`."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            migrator = Migrator(
                cast(ClickhouseSettings, settings.CLICKHOUSE["default"]),
                [
                    for_cluster(migration, settings.CLICKHOUSE_CLUSTER)
                    for migration in read_migrations(MIGRATIONS)
                ],
            )
            with contextlib.closing(migrator):
                if options["plan"]:
                    self.plan(migrator)
                elif options["check"]:
                    self.check_schema(migrator)
                elif options["resolve"]:
                    self.resolve(migrator, *options["resolve"])
                else:
                    self.migrate(migrator, force=options["force"])
        except MigrationError as error:
            raise CommandError(str(error)) from error
        except ClickhouseError as error:
            raise CommandError(f"{error} {server_words(error)}") from error

    def plan(self, migrator: Migrator) -> None:
        for migration in refuse_conflicts(migrator):
            self.stdout.write(f"-- {migration.name}")
            for statement in migration.statements:
                self.stdout.write(f"{statement};\n\n")

    def check_schema(self, migrator: Migrator) -> None:
        records = migrator.records()
        sentences = conflicts(migrator.migrations, records) + [
            f"{migration.name} is not applied: run `clickhouse_migrate`."
            for migration in pending(migrator.migrations, records)
        ]
        if sentences:
            raise CommandError("\n".join(sentences))
        self.stdout.write("The schema is current.")

    def resolve(self, migrator: Migrator, name: str, state: str) -> None:
        if state not in {State.APPLIED, State.PENDING}:
            raise CommandError("A half-applied migration is resolved as applied or pending.")
        migrator.resolve(name, State(state))
        self.stdout.write(f"{name} is {state}.")

    def migrate(self, migrator: Migrator, *, force: bool) -> None:
        migrator.prepare()
        migrations = refuse_conflicts(migrator)
        # Where nothing is applied yet there is nothing to rewrite.
        is_new = len(migrations) == len(migrator.migrations)
        blocking = [migration.name for migration in migrations if migration.blocking]
        if blocking and not (force or is_new):
            raise CommandError(
                f"{', '.join(blocking)} rewrites data, which may take long and slow down the"
                " service: run again with --force at a quiet time."
            )
        for migration in migrations:
            migrator.apply(migration)
            self.stdout.write(f"Applied {migration.name}.")
        if not migrations:
            self.stdout.write("Nothing to apply.")


def refuse_conflicts(migrator: Migrator) -> list[Migration]:
    """What is pending. Raises MigrationError when nothing may be applied."""
    records = migrator.records()
    if sentences := conflicts(migrator.migrations, records):
        raise MigrationError("\n".join(sentences))
    return pending(migrator.migrations, records)
