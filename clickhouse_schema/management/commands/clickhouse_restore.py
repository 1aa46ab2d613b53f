"""`manage.py clickhouse_restore PLACE`: a backup into an empty, migrated database, ready to serve.

Nothing else may run on that database meanwhile. Exit codes: 0 restored; 1 refused, failed, or what
is there is not what was backed up.
"""

from __future__ import annotations

import contextlib
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema import backup
from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.migrator import STATEMENT_SECONDS, server_words
from clickhouse_schema.progress import ProgressReport
from clickhouse_schema.rebuild import Rebuild
from funnel import clock
from funnel.clickhouse import Clickhouse, ClickhouseError, ClickhouseSettings


class Command(BaseCommand):
    help = (
        "Restores a backup into a database that clickhouse_migrate has just made, compares it with"
        " its manifest, computes all facts and answers, and erases those who have vanished since."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", help="as it was given to clickhouse_backup")
        parser.add_argument(
            "--manifest",
            type=Path,
            required=True,
            help="the file that clickhouse_backup has written",
        )
        parser.add_argument(
            "--barriers",
            type=Path,
            help="the barriers that clickhouse_backup --barriers has saved since: who vanished"
            " after the backup stays erased",
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="an earlier restore of this backup into this database was interrupted",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        of = cast(ClickhouseSettings, settings.CLICKHOUSE["default"])
        door = Clickhouse({**of, "query_seconds": STATEMENT_SECONDS})
        with contextlib.closing(door):
            try:
                # Read before anything is changed.
                manifest = backup.Manifest.from_json(options["manifest"].read_bytes())
                saved = options["barriers"]
                barriers = backup.barriers_from_json(saved.read_bytes()) if saved else []
                backup.restore(
                    door,
                    of["database"],
                    options["place"],
                    manifest,
                    barriers=barriers,
                    resume=options["resume"],
                )
                rebuild = Rebuild(
                    door,
                    configured_projector(door),
                    progress=ProgressReport(sys.stderr),
                    clock=clock.now,
                )
                rebuild.run()
            except ClickhouseError as error:
                raise CommandError(f"{error} {server_words(error)}") from error
            except backup.BackupRefused as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(f"A file cannot be read: {error}.") from error
        for table, found in manifest.tables.items():
            self.stdout.write(f"{table}: {found.rows:,} rows restored")
