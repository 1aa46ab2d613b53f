"""`manage.py generate_events`: fills ClickHouse with made-up events, for measurements.

Exit codes: 0 done; 1 the database holds real events, or ClickHouse failed.
"""

from __future__ import annotations

import contextlib
import sys
from argparse import ArgumentParser
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.generated import Generated, has_signed_events
from clickhouse_schema.migrator import STATEMENT_SECONDS, server_words
from clickhouse_schema.progress import ProgressReport
from clickhouse_schema.rebuild import Rebuild
from funnel import clock
from funnel.clickhouse import Clickhouse, ClickhouseError, ClickhouseSettings


class Command(BaseCommand):
    help = (
        "Fills ClickHouse with made-up events and computes the answers to them. The kinds, sizes"
        " and skew are those of a busy service; one in 67 is a video. The same count, seed, days"
        " and until give the same events. Their signatures do not verify. For measurements: a"
        " database that holds other events is refused."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--count", type=int, required=True, help="how many events, view events included"
        )
        parser.add_argument("--seed", type=int, default=1, help="another one, other events")
        parser.add_argument(
            "--days",
            type=int,
            default=365,
            help="how long ago the first one was (default: %(default)s)",
        )
        parser.add_argument(
            "--until", type=int, help="the Unix second of the last one (default: now)"
        )
        parser.add_argument(
            "--leave-to-projector",
            action="store_true",
            help="let them arrive now, for project_read_model to take in, instead of computing all"
            " answers at the end",
        )
        parser.add_argument(
            "--among-real-events",
            action="store_true",
            help="also into a database that holds events which were not made up",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError("--count must be at least 1.")
        of = cast(ClickhouseSettings, settings.CLICKHOUSE["default"])
        door = Clickhouse({**of, "query_seconds": STATEMENT_SECONDS})
        with contextlib.closing(door):
            try:
                self.fill(door, options)
            except ClickhouseError as error:
                raise CommandError(f"{error} {server_words(error)}") from error

    def fill(self, door: Clickhouse, options: dict[str, Any]) -> None:
        if not options["among_real_events"] and has_signed_events(door):
            raise CommandError(
                f"The database {settings.CLICKHOUSE['default']['database']} holds real events:"
                " set CLICKHOUSE_DATABASE to another one, or say --among-real-events. Made-up"
                " events cannot be told from others in any answer."
            )
        progress = ProgressReport(sys.stderr)
        arrive = options["leave_to_projector"]
        Generated(
            count=options["count"],
            seed=options["seed"],
            until=clock.now() if options["until"] is None else options["until"],
            days=options["days"],
            arrive=arrive,
        ).insert(door, progress=progress)
        if not arrive:
            rebuild = Rebuild(door, configured_projector(door), progress=progress, clock=clock.now)
            rebuild.rebuild_read_model()
