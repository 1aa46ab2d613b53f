"""Which events were ever accepted, by date: superseded, expired and deleted ones are among them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from funnel.sql import Query, load_query
from ingestion.gaps import Span
from ingestion.storage import StorageThread
from ingestion.writer import Clickhouse


class AcceptedIds:
    """Asks ClickHouse in the storage thread. Every method raises ClickhouseError."""

    def __init__(
        self, clickhouse: Clickhouse, storage: StorageThread, *, kinds: Sequence[int] | None
    ) -> None:
        """`kinds`: those that count, None for all."""
        self._clickhouse = clickhouse
        self._storage = storage
        self._kinds = list(kinds or ())
        self._count = load_query(__file__, "count_accepted")
        self._list = load_query(__file__, "list_accepted")

    async def count(self, span: Span) -> int:
        """Those dated within the span, or a few more."""
        rows = await self._ask(self._count, span)
        return int(rows[0]["events"])

    async def of(self, span: Span) -> list[tuple[str, int]]:
        """Id and created_at of those dated within the span."""
        return [(row["id"], row["at"]) for row in await self._ask(self._list, span)]

    async def _ask(self, query: Query, span: Span) -> list[dict[str, Any]]:
        params = {"since": span[0], "until": span[1], "kinds": self._kinds}
        return await self._storage.call(functools.partial(self._clickhouse.select, query, params))
