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
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from funnel.clickhouse import clickhouse
from ingestion.backfill import BackfillIncomplete, BackfillRunBook, RelayBackfill
from ingestion.backfill_progress import ProgressBars, ProgressLines
from ingestion.command_line import (
    NOT_COMPLETE,
    add_span_arguments,
    all_complete_or_stopped,
    chosen_span,
    database_errors_explained,
    identity,
    store_options,
)
from ingestion.dialogue import Patience
from ingestion.event_store import EventStore, StoreOptions
from ingestion.gaps import Span

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Writes what relays have stored from a span of time; safe beside ingest_relay."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_span_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with database_errors_explained():
            urls, span, kinds = chosen_span(options)
            store = store_options(kinds, relay_urls=urls)
            is_complete = asyncio.run(backfill(urls, store, span))
        if not is_complete:
            sys.exit(NOT_COMPLETE)


async def backfill(urls: Sequence[str], options: StoreOptions, span: Span) -> bool:
    """Whether every relay was read completely before a signal came."""
    store = EventStore(options, clickhouse)
    reporter = ProgressBars(time.time) if sys.stderr.isatty() else ProgressLines(time.time)
    with reporter as report:
        runs = [
            RelayBackfill(
                url,
                kinds=options.kinds,
                reception=store.reception,
                book=BackfillRunBook(url, options.kinds.name, span, store.storage),
                identity=identity(),
                patience=Patience(),
                report=report,
            )
            for url in urls
        ]
        return await store.serve(all_complete_or_stopped([_is_complete(run) for run in runs]))


async def _is_complete(run: RelayBackfill) -> bool:
    try:
        await run.run()
    except BackfillIncomplete as error:
        log.error("backfill_incomplete", relay=run.url, reason=str(error))
        return False
    log.info("backfill_complete", relay=run.url)
    return True
