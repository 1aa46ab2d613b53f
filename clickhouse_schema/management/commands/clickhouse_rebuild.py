"""`manage.py clickhouse_rebuild`: computes all facts and the read model again from the raw events.

For a change of what is extracted from events, and for a restored copy of the raw events. Ingestion,
the API and `project_read_model` go on meanwhile. Exit codes: 0 done; 1 ClickHouse failed: run it
again, it begins anew.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.migrator import STATEMENT_SECONDS, server_words
from clickhouse_schema.progress import ProgressReport
from clickhouse_schema.rebuild import Rebuild
from funnel import clock
from funnel.clickhouse import Clickhouse, ClickhouseError, ClickhouseSettings

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = (
        "Computes every fact and every answer again from the raw events, while the service goes on."
        " Needs room on the disk for a second copy of the largest table of facts."
    )
    # The routes and views have no part in it.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        of = cast(ClickhouseSettings, settings.CLICKHOUSE["default"])
        door = Clickhouse({**of, "query_seconds": STATEMENT_SECONDS})
        started = time.monotonic()
        with contextlib.closing(door):
            rebuild = Rebuild(
                door,
                configured_projector(door),
                progress=ProgressReport(sys.stderr),
                clock=clock.now,
            )
            try:
                rebuild.run()
            except ClickhouseError as error:
                raise CommandError(f"{error} {server_words(error)}") from error
        log.info("rebuild_completed", seconds=round(time.monotonic() - started, 1))
