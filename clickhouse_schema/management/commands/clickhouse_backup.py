"""`manage.py clickhouse_backup PLACE`: writes what cannot be computed, and proves that it is there.

Ingestion, the API and the projector go on meanwhile. Exit codes: 0 written and proved; 1 ClickHouse
refused or failed, or the backup is no good: make another one under another name.
"""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema import backup
from clickhouse_schema.migrator import STATEMENT_SECONDS, server_words
from funnel.clickhouse import Clickhouse, ClickhouseError, ClickhouseSettings


class Command(BaseCommand):
    help = (
        "Writes a backup of the raw events and of the barriers of those who vanished; all else is"
        " computed from them. It is restored once for proof, beside the other tables, which needs"
        " room for a second copy of the raw events."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place",
            nargs="?",
            help="a new directory on ClickHouse's machine, in what its setting"
            " backups.allowed_path names, or disk:path for a disk of its configuration",
        )
        parser.add_argument(
            "--base",
            default="",
            help="the place of an earlier backup, of which only a difference is written",
        )
        parser.add_argument(
            "--manifest",
            type=Path,
            help="the file, on this machine, that clickhouse_restore compares with",
        )
        parser.add_argument(
            "--barriers",
            type=Path,
            help="also, or only, write the barriers of those who vanished to this file",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["place"] and not options["manifest"]:
            raise CommandError("--manifest FILE is needed: no restore is believed without it.")
        if not options["place"] and not options["barriers"]:
            raise CommandError("Say where to: a place, or --barriers FILE.")
        of = cast(ClickhouseSettings, settings.CLICKHOUSE["default"])
        door = Clickhouse({**of, "query_seconds": STATEMENT_SECONDS})
        with contextlib.closing(door):
            try:
                if options["place"]:
                    manifest = backup.back_up(
                        door, of["database"], options["place"], base=options["base"]
                    )
                    options["manifest"].write_bytes(manifest.to_json())
                    for table, found in manifest.tables.items():
                        self.stdout.write(f"{table}: {found.rows:,} rows")
                if options["barriers"]:
                    barriers = backup.read_barriers(door)
                    options["barriers"].write_bytes(backup.barriers_to_json(barriers))
                    self.stdout.write(f"{len(barriers):,} barriers saved")
            except ClickhouseError as error:
                raise CommandError(f"{error} {server_words(error)}") from error
            except backup.BackupRefused as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(f"A file cannot be written: {error}.") from error
