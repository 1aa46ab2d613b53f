"""`manage.py project_read_model`: keeps the read model equal to what has arrived.

Exit codes: 0 stopped by a signal, or current where that was asked for; 1 a setting is wrong or,
with `--until-current`, ClickHouse failed.
"""

from __future__ import annotations

import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clickhouse_schema.configured_projector import configured_projector
from clickhouse_schema.projector import Projector
from funnel.clickhouse import ClickhouseError, clickhouse

log = structlog.get_logger(__name__)

# How long a failed pass waits before the next one.
RETRY_SECONDS = 2.0


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

    def handle(self, *args: Any, **options: Any) -> None:
        projector = configured_projector(clickhouse)
        if options["until_current"]:
            try:
                projector.catch_up(now=int(time.time()))
            except ClickhouseError as error:
                raise CommandError(str(error)) from error
            return
        stopping = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stopping.set())
        log.info("projector_started")
        keep_current(projector, stopping)
        log.info("projector_stopped")


def keep_current(projector: Projector, stopping: threading.Event) -> None:
    """Runs passes until `stopping` is set; a pass that fails is tried again."""
    while not stopping.is_set():
        try:
            result = projector.run_pass(now=int(time.time()))
            pause_seconds = 0 if result.more else settings.PROJECT_INTERVAL_MS / 1000
        except ClickhouseError as error:
            log.warning("pass_failed", error=str(error), cause=str(error.__cause__))
            pause_seconds = RETRY_SECONDS
        stopping.wait(pause_seconds)
