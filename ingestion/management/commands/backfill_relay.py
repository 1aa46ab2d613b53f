"""`manage.py backfill_relay`: reads a span of the relays' past; run again, it goes on where it was.

Exit codes: 0 complete; 1 a setting or the database is wrong; 2 wrong arguments; 3 not complete,
because a relay failed or a signal came; 128 + signal, at once, on a second signal.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from funnel.clickhouse import clickhouse
from funnel.nostr import MAX_CREATED_AT
from ingestion.backfill import BackfillIncomplete, BackfillRunBook, RelayBackfill
from ingestion.backfill_progress import ProgressBars, ProgressLines
from ingestion.command_line import (
    checked,
    database_errors_explained,
    identity,
    stop_on_signals,
    store_options,
)
from ingestion.dialogue import Patience
from ingestion.event_store import EventStore, StoreOptions, cancelled
from ingestion.relay_state import relays_to_read

log = structlog.get_logger(__name__)

NOT_COMPLETE = 3


class Command(BaseCommand):
    help = "Writes what relays have stored from a span of time; safe beside ingest_relay."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--relay",
            action="append",
            metavar="URL",
            help="a relay to read; may be repeated (default: RELAY_URLS and the admin's list)",
        )
        parser.add_argument(
            "--since",
            type=moment,
            default=0,
            metavar="TIME",
            help="Unix seconds or ISO 8601, in UTC where it names no zone (default: everything)",
        )
        parser.add_argument(
            "--until",
            type=moment,
            default=MAX_CREATED_AT,
            metavar="TIME",
            help="the same, inclusive (default: everything, dates in the future included)",
        )
        parser.add_argument(
            "--kinds",
            type=kinds,
            default=settings.INGEST_KINDS,
            metavar="N,N",
            help="the kinds to read (default: INGEST_KINDS)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"]
        if since > until:
            raise CommandError("--since is later than --until.")
        with database_errors_explained():
            urls = checked(relays_to_read(options["relay"]))
            if not urls:
                raise CommandError("No relay to read: set RELAY_URL or give --relay.")
            store = store_options(options["kinds"], relay_urls=urls)
            is_complete = asyncio.run(backfill(urls, store, since, until))
        if not is_complete:
            sys.exit(NOT_COMPLETE)


def moment(text: str) -> int:
    """Unix seconds of what the operator wrote."""
    if text.isascii() and text.isdigit():
        seconds = int(text)
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text} is no time") from error
        seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    if not 0 <= seconds <= MAX_CREATED_AT:
        raise argparse.ArgumentTypeError(f"{text} is no time that an event can have")
    return seconds


def kinds(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(
        word.isascii() and word.isdigit() and int(word) < 2**16 for word in words
    ):
        raise argparse.ArgumentTypeError(f"{text} is no list of kinds from 0 to 65535")
    return [int(word) for word in words]


async def backfill(urls: Sequence[str], options: StoreOptions, since: int, until: int) -> bool:
    """Whether every relay was read completely before a signal came."""
    store = EventStore(options, clickhouse)
    reporter = ProgressBars(time.time) if sys.stderr.isatty() else ProgressLines(time.time)
    with reporter as report:
        runs = [
            RelayBackfill(
                url,
                kinds=options.kinds,
                reception=store.reception,
                book=BackfillRunBook(url, options.kinds.name, since, until, store.storage),
                identity=identity(),
                patience=Patience(),
                report=report,
            )
            for url in urls
        ]
        stop = asyncio.Event()
        stop_on_signals(stop.set)
        return await store.serve(_complete_or_stopped(runs, stop))


async def _complete_or_stopped(runs: Sequence[RelayBackfill], stop: asyncio.Event) -> bool:
    stopping = asyncio.create_task(stop.wait())
    reading = [asyncio.create_task(_is_complete(run)) for run in runs]
    ended = asyncio.gather(*reading)
    try:
        waited_for: list[asyncio.Future[Any]] = [stopping, ended]
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        return ended.done() and all(ended.result())
    finally:
        await cancelled(stopping, *reading)


async def _is_complete(run: RelayBackfill) -> bool:
    try:
        await run.run()
    except BackfillIncomplete as error:
        log.error("backfill_incomplete", relay=run.url, reason=str(error))
        return False
    log.info("backfill_complete", relay=run.url)
    return True
