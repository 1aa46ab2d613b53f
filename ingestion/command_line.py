"""What the commands that read relays have in common: settings, wrong ones, and signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from ingestion.batch import BatchLimits
from ingestion.event_store import StoreOptions
from ingestion.pipeline import Verify, WantedKinds
from ingestion.sign_in import InvalidSecretKey, RelayIdentity

log = structlog.get_logger(__name__)


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
            raise CommandError(f"{url} is no address of a relay: it must be ws:// or wss://.")
    return list(dict.fromkeys(urls))


def is_relay_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


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
