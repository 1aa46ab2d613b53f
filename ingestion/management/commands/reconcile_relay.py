"""`manage.py reconcile_relay`: fetches what relays have and ClickHouse has not, by NIP-77.

Exit codes: 0 complete; 1 a setting, ClickHouse or the database is wrong; 2 wrong arguments; 3 not
complete, because a relay failed or a signal came; 128 + signal, at once, on a second signal.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError

from funnel.clickhouse import ClickhouseError, clickhouse
from ingestion.accepted_ids import AcceptedIds
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
from ingestion.reconcile import ReconciliationIncomplete, RelayReconciliation

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Writes what relays have and ClickHouse has not; what relays lack stays as it is."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_span_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with database_errors_explained():
            urls, span, kinds = chosen_span(options)
            store = store_options(kinds, relay_urls=urls)
            try:
                is_complete = asyncio.run(reconcile(urls, store, span))
            except ClickhouseError as error:
                raise CommandError(str(error)) from error
        if not is_complete:
            sys.exit(NOT_COMPLETE)


async def reconcile(urls: Sequence[str], options: StoreOptions, span: Span) -> bool:
    """Whether everything was compared, or read, before a signal came."""
    store = EventStore(options, clickhouse)
    only = options.kinds.only
    works = [
        RelayReconciliation(
            url,
            span,
            kinds=options.kinds,
            accepted=AcceptedIds(
                clickhouse, store.storage, kinds=None if only is None else sorted(only)
            ),
            reception=store.reception,
            identity=identity(),
            patience=Patience(),
        )
        for url in urls
    ]
    return await store.serve(all_complete_or_stopped([_is_complete(work) for work in works]))


async def _is_complete(work: RelayReconciliation) -> bool:
    try:
        await work.run()
    except ReconciliationIncomplete as error:
        log.error(
            "reconciliation_incomplete", relay=work.url, reason=str(error), **work.found.numbers()
        )
        return False
    log.info("reconciliation_complete", relay=work.url, **work.found.numbers())
    return True
