"""How much of ClickHouse's time and memory a question may take, by the endpoint that asks it."""

from __future__ import annotations

from typing import NamedTuple


class Share(NamedTuple):
    """Parts of `CLICKHOUSE_READ_SECONDS` and `CLICKHOUSE_READ_MEMORY_MB`."""

    seconds: float
    memory: float


WHOLE = Share(seconds=1.0, memory=1.0)
# One video, event or person, found by its key: what takes longer has gone wrong, and a thread that
# waits for it is missing elsewhere.
POINT = Share(seconds=0.5, memory=0.25)
# A list of at most a hundred, by its keys or one author's.
SHORT = Share(seconds=0.5, memory=0.5)

# By the name of the route; the others have all of it.
BY_ENDPOINT: dict[str, Share] = {
    "health": POINT,
    "api-health": POINT,
    "video": POINT,
    "video-stats": POINT,
    "video-views": POINT,
    "event": POINT,
    "user": POINT,
    "social": POINT,
    "videos-bulk": SHORT,
    "video-stats-bulk": SHORT,
    "bulk-users": SHORT,
    "video-likers": SHORT,
    "video-comments": SHORT,
    "author-videos": SHORT,
}


def limits(endpoint: str, *, seconds: float, memory_mb: int) -> dict[str, int]:
    """The settings of a query (ClickHouse, "Restrictions on query complexity")."""
    share = BY_ENDPOINT.get(endpoint, WHOLE)
    return {
        "max_execution_time": max(1, round(seconds * share.seconds)),
        "max_memory_usage": round(memory_mb * share.memory * 2**20),
    }
