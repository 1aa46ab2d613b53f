"""Questions about videos: each finds keys in one order, and shows their rows.

Times are Unix seconds, `now` is the clock of the answer. Rows are the video row of docs/api.md.
Every function raises funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from funnel.clickhouse import connections
from funnel.nostr import HEX_64, VIDEO_KINDS
from funnel.sql import ConditionalQuery, Query, load_query
from videos.rows import Row, public_row
from videos.search import marked

FEED_RECENT = ConditionalQuery(load_query(__file__, "feed_recent"))
FEED_RANKED = ConditionalQuery(load_query(__file__, "feed_ranked"))
FEED_TRENDING = ConditionalQuery(load_query(__file__, "feed_trending"))
FEED_WATCHING = ConditionalQuery(load_query(__file__, "feed_watching"))
FEED_SORTED = ConditionalQuery(load_query(__file__, "feed_sorted"))
# Every order that a list can have, and the query that reads all videos in it. `published` and
# `engagement` are other clients' words.
FEEDS: dict[str, ConditionalQuery] = {
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
# The column that an order goes by, highest first; `trending` fades one of SCORES, and `watching`
# counts.
RANKED_BY = {
    "recent": "published_at",
    "popular": "engagement_score",
    "loops": "listed_loops",
    "likes": "likes",
    "comments": "comments",
}
COUNT_VIDEOS = ConditionalQuery(load_query(__file__, "count_videos"))
SEARCH_TEXT = ConditionalQuery(load_query(__file__, "search_text"))
NAMED_VIDEOS = load_query(__file__, "named_videos")
VIDEO_BY_ID = load_query(__file__, "video_by_id")
VIDEOS_OF_LIST = load_query(__file__, "videos_of_list")
VIDEO_ROWS = load_query(__file__, "video_rows")
EVENT = load_query(__file__, "event")
LIKERS = load_query(__file__, "likers")
COMMENTS = load_query(__file__, "video_comments")
TIMESERIES = load_query(__file__, "timeseries")

# The column that `trending` fades, by whether people weigh what they are trusted in it.
SCORES = {True: "trusted_score", False: "plain_score"}
# What is older does not trend: feed_trending.sql, feed_sorted.sql.
TRENDING_SECONDS = 30 * 86_400
# As late as a date can be.
END_OF_TIME = 2**32 - 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which videos a list has; what is left as it is rules nothing out.

    since, before: of `published_at`, both inclusive. classic, sensitive: the values that pass.
    followed_by: a pubkey whose follows (NIP-02) are the authors. collaborator: a pubkey that the
    video names in a `p` tag with that role.
    """

    kinds: Sequence[int] = VIDEO_KINDS
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
    def values(self) -> dict[str, Any]:
        """The filters by name. dataclasses.asdict() copies what is in them, and takes longer."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def given(self) -> set[str]:
        """The names of those that may rule something out."""
        return {
            field.name
            for field in dataclasses.fields(self)
            if alike(getattr(self, field.name)) != alike(field.default)
        }

    @property
    def list(self) -> str:
        """The list that has them all; '' for that of the first hashtag, which ClickHouse folds."""
        if self.collaborator:
            return f"with:{self.collaborator}"
        if self.author:
            return f"by:{self.author}"
        return "" if self.hashtags else "recent"

    @property
    def other_hashtags(self) -> Sequence[str]:
        """Those that a video of the list may lack."""
        return self.hashtags if self.list else self.hashtags[1:]

    @property
    def narrow(self) -> bool:
        """Whether a list of its own has the videos, or their number does not grow with history."""
        return bool(self.hashtags or self.author or self.collaborator or self.since)


def alike(value: Any) -> Any:
    """The same for all values of a filter that let the same pass."""
    return value if isinstance(value, str | int) else set(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a video stands in an order: what it is ranked by, when it was ranked, then the ties."""

    rank: float
    published_at: int
    id: str
    ranked_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class FoundPlace(Place):
    """Where a video stands in what a search has found; what ties is first told apart by the score.

    rank: the relevance, or what another order goes by.
    """

    engagement_score: int


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """rows: what the page shows. places: of its keys and, where there are more, of the next one."""

    rows: list[Row]
    places: Sequence[Place]
    row_limit: int

    @property
    def has_more(self) -> bool:
        return len(self.places) > self.row_limit

    @property
    def last(self) -> list[Any] | None:
        """The place of the last row, whose next page begins after it; None where there is none."""
        return list(dataclasses.astuple(self.places[self.row_limit - 1])) if self.has_more else None


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
    source = feed_source(sort, filters)
    ranked_at = after.ranked_at if after else now
    values = {
        **feed_values(sort, filters, trusted=trusted),
        "now": now,
        "ranked_at": ranked_at,
        "after_place": after.rank if after else 0.0,
        "after_published_at": after.published_at if after else 0,
        "after_id": after.id if after else "",
        # One more than is shown tells whether there are more.
        "row_limit": row_limit + 1,
        "row_offset": row_offset,
    }
    names = feed_conditions(sort, filters, after=after, skips=row_offset > 0)
    found = answered(source.given(names), values)
    if source is FEED_TRENDING:
        if "ahead" not in names and any(row["published_at"] > ranked_at for row in found):
            found = answered(source.given(names | {"ahead"}), values)
        # Tiers are told apart by another formula than places.
        found.sort(key=lambda row: (-row["place"], -row["published_at"], row["id"]))
    return Page(
        rows=video_rows(found[:row_limit], now=now, trusted=trusted),
        places=[Place(row["place"], row["published_at"], row["id"], ranked_at) for row in found],
        row_limit=row_limit,
    )


def feed_source(sort: str, filters: Filters) -> ConditionalQuery:
    """The query that touches the fewest rows for a list.

    A list that is kept in the wanted order is read until the page is full. Otherwise all of an
    author, of a hashtag or of a span of time is read and sorted.
    """
    source = FEEDS[sort]
    if source is FEED_WATCHING:
        return source
    if source is FEED_RECENT:
        alone = filters.author or filters.collaborator or filters.hashtags
        return FEED_SORTED if filters.followed_by and not alone else source
    return FEED_SORTED if filters.narrow or filters.followed_by else source


def feed_conditions(
    sort: str, filters: Filters, *, after: Place | None = None, skips: bool = False
) -> set[str]:
    """What the source of the list is given for a page after a place, or one that skips rows.

    What is dated ahead of a ranking may stand in too good a tier of `trending`. Where none of it is
    among the rows of a page, none of it belongs there, and it need not be read beside the list; of
    rows that are skipped nobody knows.
    """
    source = feed_source(sort, filters)
    names = conditions(filters, source)
    if source is FEED_SORTED:
        names.add("by_trend" if sort == "trending" else "by_number")
    if after:
        names.add("after")
        if source is FEED_TRENDING and after.rank > 0:
            names.add("after_score")
    if source is FEED_TRENDING and skips:
        names.add("ahead")
    return names


def conditions(filters: Filters, source: ConditionalQuery) -> set[str]:
    """Those that rule something out, and how the list is found that the source reads."""
    names = filters.given
    if source in (FEED_RANKED, FEED_TRENDING):
        return names
    names.add("list" if filters.list else "hashtag")
    if filters.other_hashtags:
        names.add("other_hashtags")
    if source is not FEED_WATCHING:
        # The list has nobody else's.
        names.discard("collaborator")
    if source in (FEED_SORTED, COUNT_VIDEOS) and filters.followed_by and filters.list == "recent":
        names = names - {"list", "followed_by"} | {"lists_of_followed"}
    return names


def feed_values(sort: str, filters: Filters, *, trusted: bool = True) -> dict[str, Any]:
    """What a list is asked with, whichever source it has, but for the page and the time."""
    source, word = feed_source(sort, filters), ONE_WORD.get(sort, sort)
    values = filter_values(filters) | {
        "score": SCORES[trusted],
        "ranked_by": RANKED_BY.get(word, ""),
    }
    if source is FEED_TRENDING:
        values["list"] = "trending" if trusted else "trending plain"
    if source is FEED_RANKED:
        values["list"] = word
    return values


def filter_values(filters: Filters) -> dict[str, Any]:
    """What the conditions are asked with."""
    return {
        **filters.values,
        "list": filters.list,
        "hashtag": filters.hashtags[0] if filters.hashtags else "",
        "other_hashtags": filters.other_hashtags,
    }


def count_videos(sort: str, filters: Filters, *, now: int) -> int:
    """How many videos a list has."""
    if sort == "trending":
        filters = dataclasses.replace(filters, since=max(filters.since, now - TRENDING_SECONDS))
    query = COUNT_VIDEOS.given(conditions(filters, COUNT_VIDEOS))
    [counted] = answered(query, {"now": now, **filter_values(filters)})
    total: int = counted["total"]
    return total


def answered(query: Query, values: Mapping[str, Any]) -> list[Row]:
    """The rows of the answer; values: those that the query has parameters for, and others."""
    return connections["reader"].select(query, declared(query, values))


def search_text(
    *,
    now: int,
    words: Sequence[str],
    filters: Filters,
    sort: str,
    row_limit: int,
    row_offset: int = 0,
    after: FoundPlace | None = None,
    trusted: bool = True,
) -> Page:
    """Videos in which every word begins one of theirs, however it is written: of the title,
    content, alt text, hashtags or the author's name.

    words: at least one. sort: relevance, or a key of FEEDS that search_text.sql knows. after: the
    place of the last video of the page before.
    """
    ranked_at = after.ranked_at if after else now
    values = search_values(
        now=now,
        words=words,
        filters=filters,
        sort=sort,
        row_limit=row_limit + 1,
        row_offset=row_offset,
        after=after,
        trusted=trusted,
    )
    found = answered(SEARCH_TEXT.given({"after"} if after else set()), values)
    places = [
        FoundPlace(row["place"], row["published_at"], row["id"], ranked_at, row["engagement_score"])
        for row in found
    ]
    rows = video_rows(found[:row_limit], now=now, trusted=trusted)
    return Page(rows=rows, places=places, row_limit=row_limit)


def search_values(
    *,
    now: int,
    words: Sequence[str],
    filters: Filters,
    sort: str,
    row_limit: int,
    row_offset: int = 0,
    after: FoundPlace | None = None,
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
        **filters.values,
        "ranked_at": after.ranked_at if after else now,
        **(found_place_values(after) if after else {}),
        "row_limit": row_limit,
        "row_offset": row_offset,
    }


def found_place_values(place: FoundPlace) -> dict[str, Any]:
    return {
        "after_place": place.rank,
        "after_engagement_score": place.engagement_score,
        "after_published_at": place.published_at,
        "after_id": place.id,
    }


def video_by_reference(reference: str, *, now: int) -> Row | None:
    """The row of the live video that a reference names, as in videos_by_reference()."""
    if HEX_64.fullmatch(reference):
        # What nearly everybody asks by. It may be a d tag as well, which costs three times as much.
        values = {"now": now, "id": reference, "score": SCORES[True]}
        if found := connections["reader"].select(VIDEO_BY_ID, values):
            return public_row(found[0])
    return videos_by_reference([reference], now=now).get(reference)


def videos_by_reference(references: Sequence[str], *, now: int) -> dict[str, Row]:
    """The row of the live video that each reference names, without those that name none.

    A reference is the hex id of any version, an address (kind:pubkey:d) or a d tag.
    """
    if not references:
        return {}
    values = {"now": now, "references": references, "score": SCORES[True]}
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
            "score": SCORES[True],
        },
    )
    listed, source_event_id = rows[0]["listed"], rows[0]["source_event_id"]
    return listed, by_name([row for row in rows if row["names"]]), source_event_id or None


def video_rows(found: Sequence[Row], *, now: int, trusted: bool = True) -> list[Row]:
    """The rows of the live videos among at most 100, in their order.

    found: `video_key` and `pubkey` of each. trusted: whether `trending_score` counts people for
    what they are trusted, or all alike.
    """
    if not found:
        return []
    rows = connections["reader"].select(
        VIDEO_ROWS,
        {
            "now": now,
            "keys": [video["video_key"] for video in found],
            "authors": list({video["pubkey"] for video in found}),
            "score": SCORES[trusted],
        },
    )
    rows_by_key = {row["video_key"]: row for row in rows}
    return [
        public_row(rows_by_key[video["video_key"]])
        for video in found
        if video["video_key"] in rows_by_key
    ]


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
    key: str,
    *,
    now: int,
    newest_first: bool,
    after: tuple[int, str] | None,
    row_limit: int,
    row_offset: int,
) -> tuple[list[Row], bool]:
    """The live comments on the video with this key, and whether there are more.

    after: `created_at` and `id` of the last one of the page before.
    """
    created_at, id = after or (0, "")
    found = connections["reader"].select(
        COMMENTS,
        {
            "now": now,
            "video_key": key,
            "newest_first": int(newest_first),
            "after_created_at": created_at,
            "after_id": id,
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
