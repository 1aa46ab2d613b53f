"""Questions about videos: each finds keys in one order, and shows their rows.

Times are Unix seconds, `now` is the clock of the answer. Rows are the video row of docs/api.md.
Every function raises funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from funnel.clickhouse import connections
from funnel.nostr import HEX_64
from funnel.sql import Query, load_query
from videos.rows import Row, public_row
from videos.search import marked

FEED_RECENT = load_query(__file__, "feed_recent")
FEED_RANKED = load_query(__file__, "feed_ranked")
FEED_TRENDING = load_query(__file__, "feed_trending")
FEED_WATCHING = load_query(__file__, "feed_watching")
FEED_SORTED = load_query(__file__, "feed_sorted")
# Every order that a list can have, and the query that reads all videos in it. `published` and
# `engagement` are other clients' words.
FEEDS: dict[str, Query] = {
    "recent": FEED_RECENT,
    "published": FEED_RECENT,
    "trending": FEED_TRENDING,
    "popular": FEED_RANKED,
    "engagement": FEED_RANKED,
    "loops": FEED_RANKED,
    "watching": FEED_WATCHING,
    "likes": FEED_RANKED,
    "comments": FEED_RANKED,
}
ONE_WORD = {"published": "recent", "engagement": "popular"}
COUNT_VIDEOS = load_query(__file__, "count_videos")
SEARCH_TEXT = load_query(__file__, "search_text")
NAMED_VIDEOS = load_query(__file__, "named_videos")
VIDEO_BY_ID = load_query(__file__, "video_by_id")
VIDEOS_OF_LIST = load_query(__file__, "videos_of_list")
VIDEO_ROWS = load_query(__file__, "video_rows")
EVENT = load_query(__file__, "event")
LIKERS = load_query(__file__, "likers")
COMMENTS = load_query(__file__, "video_comments")
TIMESERIES = load_query(__file__, "timeseries")

# As late as a date can be.
END_OF_TIME = 2**32 - 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which videos a list has; what is empty rules nothing out.

    since, before: of `published_at`, both inclusive. classic, sensitive: the values that pass.
    followed_by: a pubkey whose follows (NIP-02) are the authors. collaborator: a pubkey that the
    video names in a `p` tag with that role.
    """

    kinds: Sequence[int]
    hashtags: Sequence[str] = ()
    author: str = ""
    followed_by: str = ""
    collaborator: str = ""
    platform: str = ""
    exclude_platform: str = ""
    classic: Sequence[bool] = (False, True)
    sensitive: Sequence[bool] = (False, True)
    since: int = 0
    before: int = END_OF_TIME

    @property
    def narrow(self) -> bool:
        """Whether a list of its own has the videos, or their number does not grow with history."""
        return bool(self.hashtags or self.author or self.collaborator or self.since)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a video stands in an order: what it is ranked by, when it was ranked, then the ties."""

    rank: float
    published_at: int
    id: str
    ranked_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """rows: what the page shows. places: of its keys and, where there are more, of the next one."""

    rows: list[Row]
    places: list[Place]
    has_more: bool


def feed(
    sort: str,
    filters: Filters,
    *,
    now: int,
    row_limit: int,
    row_offset: int = 0,
    after: Place | None = None,
    trusted: bool = True,
) -> Page:
    """One page of a list, highest rank first, then the newest, then the lowest id.

    sort: a key of FEEDS. after: the place of the last video of the page before. trusted: whether
    people weigh what they are trusted in `trending`, or all alike.
    """
    ranked_at = after.ranked_at if after else now
    query = feed_query(sort, filters)
    found = connections["reader"].select(
        query,
        declared(
            query,
            {
                "now": now,
                "sorted_by": ONE_WORD.get(sort, sort),
                "ranked_at": ranked_at,
                "trusted": trusted,
                **dataclasses.asdict(filters),
                "after_place": after.rank if after else 0.0,
                "after_published_at": after.published_at if after else 0,
                "after_id": after.id if after else "",
                # One more than is shown tells whether there are more.
                "row_limit": row_limit + 1,
                "row_offset": row_offset,
            },
        ),
    )
    return Page(
        rows=video_rows([row["video_key"] for row in found[:row_limit]], now=now, trusted=trusted),
        places=[Place(row["place"], row["published_at"], row["id"], ranked_at) for row in found],
        has_more=len(found) > row_limit,
    )


def feed_query(sort: str, filters: Filters) -> Query:
    """The query that touches the fewest rows for a list.

    A list that is kept in the wanted order is read until the page is full. Otherwise all of an
    author, of a hashtag or of a span of time is read and sorted.
    """
    query = FEEDS[sort]
    if query is FEED_WATCHING:
        return query
    if query is FEED_RECENT:
        alone = filters.author or filters.collaborator or filters.hashtags
        return FEED_SORTED if filters.followed_by and not alone else query
    return FEED_SORTED if filters.narrow or filters.followed_by else query


def count_videos(filters: Filters, *, now: int) -> int:
    """How many videos a list has."""
    values = {"now": now, **dataclasses.asdict(filters)}
    [counted] = connections["reader"].select(COUNT_VIDEOS, declared(COUNT_VIDEOS, values))
    total: int = counted["total"]
    return total


def search_text(
    *,
    now: int,
    words: Sequence[str],
    filters: Filters,
    sort: str,
    row_limit: int,
    row_offset: int,
    trusted: bool = True,
) -> Page:
    """Videos in which every word begins one of theirs, however it is written: of the title,
    content, alt text, hashtags or the author's name.

    words: at least one. sort: relevance, or a key of FEEDS that search_text.sql knows.
    """
    values = search_values(
        now=now,
        words=words,
        filters=filters,
        sort=sort,
        row_limit=row_limit + 1,
        row_offset=row_offset,
        trusted=trusted,
    )
    found = connections["reader"].select(SEARCH_TEXT, declared(SEARCH_TEXT, values))
    return Page(
        rows=video_rows([row["video_key"] for row in found[:row_limit]], now=now, trusted=trusted),
        places=[],
        has_more=len(found) > row_limit,
    )


def search_values(
    *,
    now: int,
    words: Sequence[str],
    filters: Filters,
    sort: str,
    row_limit: int,
    row_offset: int,
    trusted: bool = True,
) -> dict[str, Any]:
    """What search_text.sql is asked with."""
    whole = [marked(word) for word in words]
    return {
        "now": now,
        "words": whole,
        "begun_words": [word.removesuffix("E") for word in whole],
        "sorted_by": sort,
        "trusted": trusted,
        **dataclasses.asdict(filters),
        "row_limit": row_limit,
        "row_offset": row_offset,
    }


def video_by_reference(reference: str, *, now: int) -> Row | None:
    """The row of the live video that a reference names, as in videos_by_reference()."""
    if HEX_64.fullmatch(reference):
        # What nearly everybody asks by. It may be a d tag as well, which costs three times as much.
        values = {"now": now, "id": reference, "trusted": True}
        if found := connections["reader"].select(VIDEO_BY_ID, values):
            return public_row(found[0])
    return videos_by_reference([reference], now=now).get(reference)


def videos_by_reference(references: Sequence[str], *, now: int) -> dict[str, Row]:
    """The row of the live video that each reference names, without those that name none.

    A reference is the hex id of any version, an address (kind:pubkey:d) or a d tag.
    """
    if not references:
        return {}
    values = {"now": now, "references": references, "trusted": True}
    return by_name(connections["reader"].select(NAMED_VIDEOS, values))


def by_name(rows: list[Row]) -> dict[str, Row]:
    """Rows of named_videos.sql, as they are shown, by each of their names."""
    named = [(row["names"], public_row(row)) for row in rows]
    return {name: row for names, row in named for name in names}


def videos_of_list(
    *, now: int, kind: int, pubkey: str, d_tag: str, row_limit: int
) -> tuple[list[str], dict[str, Row], str | None]:
    """The first ids and addresses that somebody's current list holds, the rows of the live videos
    among them by these names, and the id of the list's own event.

    kind: a list of videos, without a d tag where it has none. None, and no names, for no such list.
    """
    rows = connections["reader"].select(
        VIDEOS_OF_LIST,
        {
            "now": now,
            "kind": kind,
            "pubkey": pubkey,
            "d_tag": d_tag,
            "row_limit": row_limit,
            "trusted": True,
        },
    )
    listed, source_event_id = rows[0]["listed"], rows[0]["source_event_id"]
    return listed, by_name([row for row in rows if row["names"]]), source_event_id or None


def video_rows(keys: Sequence[str], *, now: int, trusted: bool = True) -> list[Row]:
    """The rows of the live videos among at most 100 keys, in the order of the keys.

    trusted: whether `trending_score` counts people for what they are trusted, or all alike.
    """
    if not keys:
        return []
    values = {"now": now, "keys": keys, "trusted": trusted}
    return [public_row(row) for row in connections["reader"].select(VIDEO_ROWS, values)]


def event(id: str, *, now: int) -> Row | None:
    """The signed event; None for one that is not in effect, protected (NIP-70) or private."""
    events = connections["reader"].select(EVENT, {"now": now, "id": id})
    return events[0] if events else None


def likers(
    key: str, *, now: int, after: tuple[int, str] | None, row_limit: int, row_offset: int
) -> tuple[list[Row], bool]:
    """Who likes the video with this key, latest first, and whether there are more.

    after: `created_at` and `pubkey` of the last one of the page before.
    """
    created_at, pubkey = after or (0, "")
    found = connections["reader"].select(
        LIKERS,
        {
            "now": now,
            "video_key": key,
            "after_created_at": created_at,
            "after_pubkey": pubkey,
            "row_limit": row_limit + 1,
            "row_offset": row_offset,
        },
    )
    return found[:row_limit], len(found) > row_limit


def video_comments(
    key: str, *, now: int, newest_first: bool, row_limit: int, row_offset: int
) -> tuple[list[Row], bool]:
    """The live comments on the video with this key, and whether there are more."""
    found = connections["reader"].select(
        COMMENTS,
        {
            "now": now,
            "video_key": key,
            "newest_first": int(newest_first),
            "row_limit": row_limit + 1,
            "row_offset": row_offset,
        },
    )
    return found[:row_limit], len(found) > row_limit


def timeseries(
    key: str, *, now: int, span_seconds: int, shift_seconds: int, row_limit: int
) -> list[Row]:
    """What happened to the video in each of the latest spans, newest first: `start`, `reactions`,
    `comments`, `reposts`, `views`.

    shift_seconds: how long before 1970 a span began.
    """
    return connections["reader"].select(
        TIMESERIES,
        {
            "now": now,
            "video_key": key,
            "span_seconds": span_seconds,
            "shift_seconds": shift_seconds,
            "row_limit": row_limit,
        },
    )


def declared(query: Query, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the query has parameters for: not every order needs every one."""
    return {name: values[name] for name in query.params}
