"""Questions about everything that is stored.

Times are Unix seconds, `now` is the clock of the answer. Every function raises
funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

from typing import Any

from funnel.clickhouse import connections
from funnel.sql import load_query

TOTALS = load_query(__file__, "totals")


def totals(*, now: int) -> dict[str, Any]:
    """`total_events`, `total_videos` and `vine_videos` (decision D12)."""
    return connections["reader"].select(TOTALS, {"now": now})[0]
