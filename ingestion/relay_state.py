"""What the worker keeps of each relay in Django's database: its state and its cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from ingestion.gaps import Synced
from ingestion.models import Relay, SyncCursor
from ingestion.storage import StorageThread

log = structlog.get_logger(__name__)


def mark(urls: Sequence[str], state: Relay.State) -> None:
    """Says of relays that are not read any more why that is so; blocking."""
    try:
        Relay.objects.filter(url__in=urls).update(state=state, state_changed_at=timezone.now())
    except DatabaseError as error:
        log.warning("relay_state_not_saved", error=str(error))


def listed_and_paused() -> tuple[list[str], set[str]]:
    """The addresses that are to be read whatever the settings say, and those that are not to be.

    Blocking. Raises DatabaseError.
    """
    relays = Relay.objects.filter(Q(is_listed=True) | Q(is_paused=True))
    rows = list(relays.values_list("url", "is_listed", "is_paused"))
    listed = [url for url, is_listed, _ in rows if is_listed]
    return listed, {url for url, _, is_paused in rows if is_paused}


def relays_to_read(named: Sequence[str] | None) -> list[str]:
    """Those named, or else all of the settings and the admin that are not paused; blocking."""
    if named:
        return list(named)
    listed, paused = listed_and_paused()
    return [url for url in dict.fromkeys([*settings.RELAY_URLS, *listed]) if url not in paused]


class RelayBook:
    """The rows of one relay, read and written in the storage thread."""

    def __init__(self, url: str, filter_name: str, storage: StorageThread) -> None:
        self._url = url
        self._filter = filter_name
        self._storage = storage

    async def load_cursor(self) -> Synced | None:
        """How far the relay is synced, None for one that never was."""

        def load() -> Synced | None:
            relay, _ = Relay.objects.get_or_create(url=self._url)
            cursor = SyncCursor.objects.filter(relay=relay, filter=self._filter).first()
            return None if cursor is None else cursor.synced

        return await self._storage.call(load)

    async def save_cursor(self, synced: Synced) -> None:
        """To be called once ClickHouse has acknowledged everything that this says is read."""

        def save() -> None:
            relay, _ = Relay.objects.get_or_create(url=self._url)
            SyncCursor.objects.update_or_create(
                relay=relay,
                filter=self._filter,
                defaults={
                    "synced_since": synced.since,
                    "synced_until": synced.until,
                    "gaps": synced.gaps,
                    "reread_since": synced.reread_since,
                },
            )

        await self._try(save)

    async def save_state(self, state: Relay.State, error: str = "") -> None:
        def save() -> None:
            Relay.objects.update_or_create(
                url=self._url, defaults={"state": state, "last_error": error[:500]}
            )

        await self._try(save)

    async def _try(self, save: Callable[[], None]) -> None:
        # An older cursor costs a longer catch-up; a stopped worker costs more.
        try:
            await self._storage.call(save)
        except DatabaseError as error:
            log.error("relay_state_not_saved", relay=self._url, error=str(error))
