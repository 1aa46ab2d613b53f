"""`manage.py ingest_relay`: keeps ClickHouse up to date with the relays until told to stop.

Exit codes: 0 stopped by a signal with everything written, or caught up where that was asked for;
1 a setting or the database is wrong; 2 wrong arguments; 3 `--until-caught-up` ended without that;
128 + signal, at once, on a second signal.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from funnel.clickhouse import clickhouse
from funnel.status_page import start_status_page
from ingestion.command_line import (
    checked,
    database_errors_explained,
    identity,
    stop_on_signals,
    store_options,
)
from ingestion.relay_state import listed_and_paused
from ingestion.sync import SyncTimes
from ingestion.worker import Worker, WorkerOptions

NOT_CAUGHT_UP = 3


class Command(BaseCommand):
    help = "Writes the events of the relays to ClickHouse: those they have stored and live ones."
    # They would load the whole API, which a worker does not use.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--relay",
            action="append",
            metavar="URL",
            help="a relay to read, ws:// or wss://, and no other; may be repeated"
            " (default: RELAY_URLS and those listed in the admin)",
        )
        parser.add_argument(
            "--until-caught-up",
            action="store_true",
            help="end once everything that the relays had stored is written",
        )
        parser.add_argument(
            "--metrics-port",
            type=int,
            default=settings.INGEST_METRICS_PORT,
            metavar="N",
            help="serve /metrics, /health, /ready there (default: INGEST_METRICS_PORT; 0: nowhere)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with database_errors_explained():
            what = worker_options(
                relays=options["relay"], until_caught_up=options["until_caught_up"]
            )
            is_caught_up = asyncio.run(run(what, status_port=options["metrics_port"]))
        if what.until_caught_up and not is_caught_up:
            sys.exit(NOT_CAUGHT_UP)


def worker_options(*, relays: list[str] | None, until_caught_up: bool) -> WorkerOptions:
    """What the worker is to do. Raises CommandError for what cannot be done."""
    urls = list(dict.fromkeys(relays or settings.RELAY_URLS))
    if not urls and not listed_and_paused()[0]:
        raise CommandError("No relay to read: set RELAY_URL, add one in the admin or give --relay.")
    return WorkerOptions(
        relay_urls=checked(urls),
        store=store_options(settings.INGEST_KINDS, relay_urls=urls),
        times=SyncTimes(
            catchup_overlap=settings.CATCHUP_OVERLAP, first_window=settings.FIRST_SYNC_WINDOW
        ),
        identity=identity(),
        reads_listed=not relays,
        until_caught_up=until_caught_up,
    )


async def run(options: WorkerOptions, *, status_port: int) -> bool:
    """Runs a worker until it ends by itself or by SIGTERM or SIGINT; whether it is caught up."""
    worker = Worker(options, clickhouse)
    if status_port:
        try:
            start_status_page(status_port, health=worker.health, ready=worker.obstacles)
        except (OSError, OverflowError) as error:
            raise CommandError(f"No metrics on port {status_port}: {error}.") from error
    stop_on_signals(worker.stop)
    return await worker.run()
