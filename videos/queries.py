"""Questions about videos: each finds keys in one order, and shows their rows.

Times are Unix seconds, `now` is the clock of the answer. Rows are the video row of docs/api.md.
Every function raises funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from funnel.clickhouse import connections
from funnel.sql import Query, load_query

Row = dict[str, Any]

FEED_RECENT = load_query(__file__, "feed_recent")
FEED_POPULAR = load_query(__file__, "feed_popular")
FEED_TRENDING = load_query(__file__, "feed_trending")
AUTHOR_VIDEOS = load_query(__file__, "author_videos")
SEARCH_HASHTAG = load_query(__file__, "search_hashtag")
SEARCH_TEXT = load_query(__file__, "search_text")
FIND_VIDEO = load_query(__file__, "find_video")
VIDEO_ROWS = load_query(__file__, "video_rows")


def recent(*, now: int, kinds: Sequence[int], row_limit: int) -> list[Row]:
    """Newest `published_at` first; an edit does not move a video (decision D7)."""
    return listed(FEED_RECENT, now=now, kinds=kinds, row_limit=row_limit)


def popular(*, now: int, kinds: Sequence[int], row_limit: int) -> list[Row]:
    """Highest `engagement_score` first (decision D6)."""
    return listed(FEED_POPULAR, now=now, kinds=kinds, row_limit=row_limit)


def trending(*, now: int, kinds: Sequence[int], row_limit: int) -> list[Row]:
    """Videos of the last 30 days, highest `trending_score` first."""
    return listed(FEED_TRENDING, now=now, kinds=kinds, row_limit=row_limit)


def author_videos(*, now: int, pubkey: str, row_limit: int) -> list[Row]:
    """What one pubkey has signed, newest first."""
    return listed(AUTHOR_VIDEOS, now=now, pubkey=pubkey, row_limit=row_limit)


def search_hashtag(*, now: int, hashtag: str, row_limit: int) -> list[Row]:
    """Videos with a hashtag, however it is written, newest first."""
    return listed(SEARCH_HASHTAG, now=now, hashtag=hashtag, row_limit=row_limit)


def search_text(*, now: int, words: Sequence[str], row_limit: int) -> list[Row]:
    """Videos whose title, content, alt text or hashtags hold every word, however it is written."""
    return listed(SEARCH_TEXT, now=now, words=words, row_limit=row_limit)


def video_stats(*, now: int, reference: str) -> Row | None:
    """The row of one video, with `event_id`; None for what is not live.

    reference: the hex id of any version, an address (kind:pubkey:d) or a d tag.
    """
    rows = listed(FIND_VIDEO, now=now, reference=reference)
    return rows[0] | {"event_id": rows[0]["id"]} if rows else None


def listed(query: Query, *, now: int, **params: Any) -> list[Row]:
    """The rows of the videos whose keys a query finds, in its order."""
    reader = connections["reader"]
    keys = [row["video_key"] for row in reader.select(query, {"now": now, **params})]
    return reader.select(VIDEO_ROWS, {"now": now, "keys": keys}) if keys else []
