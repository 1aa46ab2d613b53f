"""`manage.py ingest_relay`: keeps ClickHouse up to date with the relays until told to stop.

Exit codes: 0 stopped by a signal with everything written, or caught up where that was asked for;
1 a setting or the database is wrong; 2 wrong arguments; 3 `--until-caught-up` ended without that;
128 + signal, at once, on a second signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from prometheus_client import start_http_server

from funnel.clickhouse import clickhouse
from ingestion.batch import BatchLimits
from ingestion.pipeline import WantedKinds
from ingestion.sign_in import InvalidSecretKey, RelayIdentity
from ingestion.sync import SyncTimes
from ingestion.worker import Worker, WorkerOptions

log = structlog.get_logger(__name__)

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
            help="a relay to read, ws:// or wss:// (may be repeated; default: RELAY_URLS)",
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
            help="show Prometheus' numbers there (default: INGEST_METRICS_PORT; 0: nowhere)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worker_options = options_from_settings(
            relays=options["relay"], until_caught_up=options["until_caught_up"]
        )
        if port := options["metrics_port"]:
            try:
                start_http_server(port)
            except (OSError, OverflowError) as error:
                raise CommandError(f"No metrics on port {port}: {error}.") from error
        try:
            is_caught_up = asyncio.run(run(worker_options))
        except DatabaseError as error:
            raise CommandError(
                f"Django's database does not answer as it should ({error}); "
                "was manage.py migrate run?"
            ) from error
        if worker_options.until_caught_up and not is_caught_up:
            sys.exit(NOT_CAUGHT_UP)


def options_from_settings(*, relays: list[str] | None, until_caught_up: bool) -> WorkerOptions:
    """What the worker is to do. Raises CommandError for what cannot be done."""
    urls = list(dict.fromkeys(relays or settings.RELAY_URLS))
    if not urls:
        raise CommandError("No relay to read: set RELAY_URL or give --relay.")
    for url in urls:
        if not is_relay_address(url):
            raise CommandError(f"{url} is no address of a relay: it must be ws:// or wss://.")
    identity = None
    if settings.RELAY_SECRET_KEY:
        try:
            identity = RelayIdentity(settings.RELAY_SECRET_KEY)
        except InvalidSecretKey as error:
            raise CommandError(f"RELAY_SECRET_KEY is malformed: {error}.") from error
    return WorkerOptions(
        relay_urls=urls,
        own_addresses=[*urls, *settings.RELAY_URLS, settings.PUBLIC_URL],
        kinds=WantedKinds.chosen(settings.INGEST_KINDS),
        limits=BatchLimits(rows=settings.BATCH_SIZE, age_seconds=settings.BATCH_MAX_MS / 1000),
        times=SyncTimes(catchup_overlap=settings.CATCHUP_OVERLAP),
        shutdown_seconds=settings.SHUTDOWN_SECONDS,
        identity=identity,
        until_caught_up=until_caught_up,
    )


def is_relay_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


async def run(options: WorkerOptions) -> bool:
    """Runs a worker until it ends by itself or by SIGTERM or SIGINT; whether it is caught up."""
    worker = Worker(options, clickhouse)
    signals_seen = 0

    def end(received: signal.Signals) -> None:
        nonlocal signals_seen
        signals_seen += 1
        if signals_seen > 1:
            os._exit(128 + received)
        log.info("stop_requested", signal=received.name)
        worker.stop()

    loop = asyncio.get_running_loop()
    for handled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(handled, end, handled)
    return await worker.run()
