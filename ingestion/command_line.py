"""What the commands that read relays have in common: settings, wrong ones, and signals."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from funnel.nostr import MAX_CREATED_AT
from ingestion.batch import BatchLimits
from ingestion.event_store import StoreOptions, cancelled
from ingestion.gaps import Span
from ingestion.pipeline import Verify, WantedKinds
from ingestion.relay_address import WHAT_IT_IS, is_relay_address
from ingestion.relay_state import relays_to_read
from ingestion.sign_in import InvalidSecretKey, RelayIdentity

log = structlog.get_logger(__name__)

# The exit code of a task with an end that has not come to it.
NOT_COMPLETE = 3


def store_options(kinds: Sequence[int], *, relay_urls: Sequence[str]) -> StoreOptions:
    """How the settings want events to be checked and written."""
    return StoreOptions(
        own_addresses=[*relay_urls, *settings.RELAY_URLS, settings.PUBLIC_URL],
        kinds=WantedKinds.chosen(list(kinds)),
        limits=BatchLimits(rows=settings.BATCH_SIZE, age_seconds=settings.BATCH_MAX_MS / 1000),
        shutdown_seconds=settings.SHUTDOWN_SECONDS,
        verify=Verify(settings.VERIFY),
        dedup_redis_url=settings.DEDUP_REDIS_URL,
    )


def identity() -> RelayIdentity | None:
    """Who we are to relays. Raises CommandError for a malformed key, which it does not repeat."""
    if not settings.RELAY_SECRET_KEY:
        return None
    try:
        return RelayIdentity(settings.RELAY_SECRET_KEY)
    except InvalidSecretKey as error:
        raise CommandError(f"RELAY_SECRET_KEY is malformed: {error}.") from error


def checked(urls: Sequence[str]) -> list[str]:
    """The addresses, each once. Raises CommandError for one that is none of a relay."""
    for url in urls:
        if not is_relay_address(url):
            # What stands before an @ may be a password.
            shown = url.rpartition("@")[2]
            raise CommandError(f"{shown} is no address of a relay: it must be {WHAT_IT_IS}.")
    return list(dict.fromkeys(urls))


@contextlib.contextmanager
def database_errors_explained() -> Iterator[None]:
    """Turns what Django's database raises within the block into one sentence."""
    try:
        yield
    except DatabaseError as error:
        raise CommandError(
            f"Django's database does not answer as it should ({error}); was manage.py migrate run?"
        ) from error


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Calls `stop` at the first SIGTERM or SIGINT and ends the process at the second.

    To be called in the event loop that is to be stopped.
    """
    signals_seen = 0

    def end(received: signal.Signals) -> None:
        nonlocal signals_seen
        signals_seen += 1
        if signals_seen > 1:
            os._exit(128 + received)
        log.info("stop_requested", signal=received.name)
        stop()

    loop = asyncio.get_running_loop()
    for handled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(handled, end, handled)


# --- A span of the past ---------------------------------------------------------------------------


def add_span_arguments(parser: argparse.ArgumentParser) -> None:
    """--relay, --since, --until and --kinds, for `chosen_span`."""
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


def chosen_span(options: Mapping[str, Any]) -> tuple[list[str], Span, list[int]]:
    """The relays, the span and the kinds. Raises CommandError for what cannot be."""
    since, until = options["since"], options["until"]
    if since > until:
        raise CommandError("--since is later than --until.")
    urls = checked(relays_to_read(options["relay"]))
    if not urls:
        raise CommandError("No relay to read: set RELAY_URL or give --relay.")
    return urls, (since, until), options["kinds"]


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


async def all_complete_or_stopped(works: Sequence[Coroutine[Any, Any, bool]]) -> bool:
    """Whether each work said that it is complete before a signal came; then they are cancelled."""
    stop = asyncio.Event()
    stop_on_signals(stop.set)
    stopping = asyncio.create_task(stop.wait())
    tasks = [asyncio.create_task(work) for work in works]
    ended = asyncio.gather(*tasks)
    try:
        waited_for: list[asyncio.Future[Any]] = [stopping, ended]
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        return ended.done() and all(ended.result())
    finally:
        await cancelled(stopping, *tasks)
