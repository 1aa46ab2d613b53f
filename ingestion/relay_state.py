"""What the worker keeps of each relay in Django's database: its state and its cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from django.db import DatabaseError
from django.utils import timezone

from ingestion.models import Relay, SyncCursor
from ingestion.storage import StorageThread

log = structlog.get_logger(__name__)


def mark_stopped(urls: Sequence[str]) -> None:
    """Says of the relays that nobody reads them any more; blocking."""
    try:
        Relay.objects.filter(url__in=urls).update(
            state=Relay.State.STOPPED, state_changed_at=timezone.now()
        )
    except DatabaseError as error:
        log.warning("relay_state_not_saved", error=str(error))


class RelayBook:
    """The rows of one relay, read and written in the storage thread."""

    def __init__(self, url: str, filter_name: str, storage: StorageThread) -> None:
        self._url = url
        self._filter = filter_name
        self._storage = storage

    async def load_cursor(self) -> int | None:
        """Unix seconds up to which all is synced, None for a relay that never was."""

        def load() -> int | None:
            relay, _ = Relay.objects.get_or_create(url=self._url)
            cursor = SyncCursor.objects.filter(relay=relay, filter=self._filter).first()
            return None if cursor is None else cursor.synced_until

        return await self._storage.call(load)

    async def save_cursor(self, synced_until: int) -> None:
        """To be called once ClickHouse has acknowledged everything up to there."""

        def save() -> None:
            relay, _ = Relay.objects.get_or_create(url=self._url)
            SyncCursor.objects.update_or_create(
                relay=relay, filter=self._filter, defaults={"synced_until": synced_until}
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
