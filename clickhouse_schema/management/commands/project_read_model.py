"""`manage.py project_read_model`: keeps the read model equal to what has arrived.

Exit codes: 0 stopped by a signal, or current where that was asked for; 1 a setting is wrong or,
with `--until-current`, ClickHouse failed.
"""

from __future__ import annotations

import signal
import threading
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.keeper import Keeper
from clickhouse_schema.projector import Projector
from funnel.clickhouse import ClickhouseError, clickhouse
from funnel.status_page import start_status_page

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Computes again, for as long as it runs, the answers that new events change."
    # They would load the whole API, which this has no part in.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-current",
            action="store_true",
            help="end once everything that has arrived is in the read model",
        )
        parser.add_argument(
            "--metrics-port",
            type=int,
            default=settings.PROJECT_METRICS_PORT,
            metavar="N",
            help="serve /metrics, /health, /ready there (default: PROJECT_METRICS_PORT; 0:"
            " nowhere)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # What a pass has done beside it, what it has let go after it, and the rest of all of them.
        with ThreadPoolExecutor(max_workers=3) as beside:
            self.project(configured_projector(clickhouse, beside=beside), **options)

    def project(self, projector: Projector, **options: Any) -> None:
        if options["until_current"]:
            try:
                projector.catch_up(now=int(time.time()))
            except ClickhouseError as error:
                raise CommandError(str(error)) from error
            return
        stopping = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stopping.set())
        keeper = Keeper(projector, rest_seconds=settings.PROJECT_INTERVAL_MS / 1000)
        if port := options["metrics_port"]:
            try:
                start_status_page(port, health=keeper.health, ready=keeper.obstacles)
            except (OSError, OverflowError) as error:
                raise CommandError(f"No metrics on port {port}: {error}.") from error
        log.info("projector_started")
        keeper.run(stopping)
        log.info("projector_stopped")
