"""Questions about people, hashtags and everything that is stored.

Times are Unix seconds, `now` is the clock of the answer; `row_limit` and `row_offset` are the page.
Every function raises funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from funnel.clickhouse import connections
from funnel.sql import ConditionalQuery, Query, load_query

Row = dict[str, Any]

TOTALS = load_query(__file__, "totals")
ACTIVE_USERS = load_query(__file__, "active_users")
USER = load_query(__file__, "user")
USERS = load_query(__file__, "users")
USERS_FOLLOWED = load_query(__file__, "users_followed")
SOCIAL = load_query(__file__, "social")
FOLLOWERS = load_query(__file__, "followers")
FOLLOWING = load_query(__file__, "following")
SEARCH_PROFILES = load_query(__file__, "search_profiles")
PROFILE_NAMES = load_query(__file__, "profile_names")
HASHTAGS = ConditionalQuery(load_query(__file__, "hashtags"))
CATEGORIES = load_query(__file__, "categories")
TOP_CREATORS = load_query(__file__, "top_creators")
LEADERBOARD_VIDEOS = load_query(__file__, "leaderboard_videos")
LEADERBOARD_VIDEOS_ALLTIME = load_query(__file__, "leaderboard_videos_alltime")
LEADERBOARD_CREATORS = load_query(__file__, "leaderboard_creators")
VIDEO_CARDS = load_query(__file__, "video_cards")
CREATOR_ANALYTICS = load_query(__file__, "creator_analytics")
ARRIVALS_BY_MINUTE = load_query(__file__, "arrivals_by_minute")
EVENTS_BY_DAY = load_query(__file__, "events_by_day")
TABLES = load_query(__file__, "tables")
DISKS = load_query(__file__, "disks")
SLOWEST_QUERIES = load_query(__file__, "slowest_queries")
READ_MODEL_AGE = load_query(__file__, "read_model_age")
PEOPLE_ACTIVE = load_query(__file__, "people_active")
ENGAGEMENT = load_query(__file__, "engagement")

PROFILE_FIELDS = (
    "name",
    "display_name",
    "picture",
    "banner",
    "about",
    "nip05",
    "lud16",
    "website",
    "profile_updated",
)
A_DAY_SECONDS = 86_400
TOP_POSTS = 10
NAMELESS: Row = {"name": "", "display_name": "", "picture": "", "nip05": None}
NOTHING_HAPPENED: Row = {
    "videos": 0,
    "views": 0,
    "unique_viewers": 0,
    "loops": 0.0,
    "reactions": 0,
    "comments": 0,
    "reposts": 0,
}


def ask(query: Query, **params: Any) -> list[Row]:
    return connections["reader"].select(query, params)


def totals(*, now: int) -> Row:
    """`total_events`, `total_videos` and `vine_videos` (decision D12)."""
    return ask(TOTALS, now=now)[0]


def active_users(*, now: int, span: str, row_limit: int) -> list[Row]:
    """`start` and `active_users` of the latest `row_limit` spans in UTC, newest first (D9).

    span: day, week (from Monday) or month.
    """
    return ask(ACTIVE_USERS, now=now, span=span, row_limit=row_limit)


# --- People --------------------------------------------------------------------------------------


def users(*, now: int, pubkeys: Sequence[str]) -> list[Row]:
    """One answer for each pubkey, in their order, with `known`: whether anything is stored of it.

    pubkeys: distinct, at most 100.
    """
    if not pubkeys:
        return []
    if len(pubkeys) == 1:
        return [user(row) for row in ask(USER, now=now, pubkey=pubkeys[0])]
    return [user(row) for row in ask(USERS, now=now, pubkeys=pubkeys)]


def users_followed(*, now: int, pubkey: str, row_limit: int) -> list[Row]:
    """The same of the first people whom somebody follows, in the order of the list."""
    rows = ask(USERS_FOLLOWED, now=now, pubkey=pubkey, row_limit=row_limit)
    return [user(row) for row in rows]


def user(row: Row) -> Row:
    """A row of users.sql or user.sql in the nesting that apps read."""
    return {
        "pubkey": row["pubkey"],
        "profile": {name: row[name] for name in PROFILE_FIELDS} if row["has_profile"] else None,
        "social": {name: row[name] for name in ("follower_count", "following_count")},
        "stats": {name: row[name] for name in ("video_count", "reaction_count")},
        "engagement": {
            name: row[name]
            for name in ("total_reactions", "total_loops", "total_views", "archived_loops")
        },
        "has_vanish_request": row["has_vanish_request"],
        "known": bool(row["events"] or row["follower_count"] or row["has_vanish_request"]),
    }


def social(*, now: int, pubkey: str) -> Row:
    """`follower_count` and `following_count` (NIP-02)."""
    return ask(SOCIAL, now=now, pubkey=pubkey)[0]


def followers(*, now: int, pubkey: str, text: str, row_limit: int, row_offset: int) -> Row:
    """`pubkeys` of one page, by pubkey, and the `total`; with a text those who are called so."""
    return ask(
        FOLLOWERS, now=now, pubkey=pubkey, text=text, row_limit=row_limit, row_offset=row_offset
    )[0]


def following(*, now: int, pubkey: str, text: str, row_limit: int, row_offset: int) -> Row:
    """`pubkeys` of one page, in the order of the list, and the `total`; likewise."""
    return ask(
        FOLLOWING, now=now, pubkey=pubkey, text=text, row_limit=row_limit, row_offset=row_offset
    )[0]


def search_profiles(
    *, now: int, text: str, by_followers: bool, has_videos: bool, row_limit: int, row_offset: int
) -> list[Row]:
    """People whose name, NIP-05 address or description holds the text, however it is written.

    Whose NIP-05 address it is comes first in any order.
    """
    return ask(
        SEARCH_PROFILES,
        now=now,
        text=text,
        by_followers=int(by_followers),
        videos_at_least=int(has_videos),
        row_limit=row_limit,
        row_offset=row_offset,
    )


def top_creators(*, now: int, row_limit: int, row_offset: int) -> list[Row]:
    """People by the engagement score of all their live videos."""
    return named(ask(TOP_CREATORS, now=now, row_limit=row_limit, row_offset=row_offset), now=now)


def named(rows: list[Row], *, now: int) -> list[Row]:
    """The rows with what their pubkeys call themselves."""
    names = {
        row["pubkey"]: row
        for row in ask(PROFILE_NAMES, now=now, pubkeys=[row["pubkey"] for row in rows])
    }
    return [
        {"pubkey": row["pubkey"]} | NAMELESS | names.get(row["pubkey"], {}) | row for row in rows
    ]


# --- Hashtags ------------------------------------------------------------------------------------


def hashtags(
    *,
    now: int,
    text: str,
    by_trend: bool,
    row_limit: int,
    row_offset: int,
    trusted: bool = True,
) -> list[Row]:
    """Hashtags of live videos that hold the text, those that begin with it first.

    by_trend: the highest `trending_score` first, else the highest `video_count`. trusted: whether
    the score counts people for what they are trusted, or all alike.
    """
    given = {name for name, asked in (("text", text), ("by_trend", by_trend)) if asked}
    return ask(
        HASHTAGS.given(given),
        now=now,
        text=text,
        trusted=trusted,
        row_limit=row_limit,
        row_offset=row_offset,
    )


def categories(
    *, now: int, names: Sequence[str], text: str, row_limit: int, row_offset: int
) -> list[Row]:
    """Those of the names that are hashtags of live videos, by `video_count`."""
    return ask(
        CATEGORIES, now=now, names=names, text=text, row_limit=row_limit, row_offset=row_offset
    )


# --- Leaderboards --------------------------------------------------------------------------------


def leaderboard_videos(*, now: int, since: int, row_limit: int, row_offset: int) -> list[Row]:
    """Videos by what was played of them since a moment; 0 is for ever."""
    if since:
        rows = ask(
            LEADERBOARD_VIDEOS, now=now, since=since, row_limit=row_limit, row_offset=row_offset
        )
    else:
        rows = ask(LEADERBOARD_VIDEOS_ALLTIME, now=now, row_limit=row_limit, row_offset=row_offset)
    found = ask(VIDEO_CARDS, now=now, keys=[row["video_key"] for row in rows])
    cards = {card.pop("video_key"): card for card in found}
    return [
        cards[key] | played
        for key, played in ((row.pop("video_key"), row) for row in rows)
        if key in cards
    ]


def leaderboard_creators(*, now: int, since: int, row_limit: int, row_offset: int) -> list[Row]:
    """People by what was played of their videos since a moment; 0 is for ever."""
    rows = ask(
        LEADERBOARD_CREATORS, now=now, since=since, row_limit=row_limit, row_offset=row_offset
    )
    return named(rows, now=now)


# --- One person's own numbers --------------------------------------------------------------------


def creator_analytics(*, now: int, pubkey: str, days: int, by_engagement: bool) -> Row:
    """What happened to the pubkey's live videos on the last `days` days (UTC), today among them.

    days: 0 is for ever. by_engagement: the order of `top_posts`, else by views.
    """
    today = now // A_DAY_SECONDS
    first_day = max(0, today - days + 1) if days else 0
    parts: dict[str, list[Row]] = {"all": [], "day": [], "video": []}
    for row in ask(
        CREATOR_ANALYTICS,
        now=now,
        pubkey=pubkey,
        first_day=first_day,
        by_engagement=int(by_engagement),
        row_limit=TOP_POSTS,
    ):
        parts[row["part"]].append(row)
    everything = parts["all"][0] if parts["all"] else NOTHING_HAPPENED
    by_day = {row["day"]: row for row in parts["day"]}
    # Of all time only the days on which something happened; a window is shown whole.
    shown = list(range(first_day, today + 1)) if days else [*by_day]
    daily = [(date(day), by_day.get(day, NOTHING_HAPPENED)) for day in shown]
    return {
        "total_views": everything["views"],
        "total_loops": everything["loops"],
        "total_watch_time": None,
        "unique_viewers": everything["unique_viewers"],
        "summary": {
            "video_count": everything["videos"],
            "views": everything["views"],
            "unique_viewers": everything["unique_viewers"],
            "reactions": everything["reactions"],
            "comments": everything["comments"],
            "reposts": everything["reposts"],
            "has_view_data": everything["views"] > 0,
        },
        "timeseries": {
            "daily_views": [{"date": day, "value": row["views"]} for day, row in daily],
            "daily_interactions": [{"date": day, "value": interactions(row)} for day, row in daily],
            "daily_follows": [],
        },
        "top_posts": [
            {
                "id": row["video"],
                "views": row["views"],
                "engagement_rate": interactions(row) / row["views"] if row["views"] else None,
            }
            for row in parts["video"]
        ],
    }


def interactions(row: Row) -> int:
    return int(row["reactions"] + row["comments"] + row["reposts"])


def date(day: int) -> str:
    """A number of days since 1970 as ISO 8601 writes it."""
    return datetime.fromtimestamp(day * A_DAY_SECONDS, tz=UTC).date().isoformat()


# --- Operations ----------------------------------------------------------------------------------


def arrivals_by_minute(*, now: int, minutes: int) -> list[Row]:
    """`minute` and `events` that reached ClickHouse in it; minutes without any are left out."""
    return ask(ARRIVALS_BY_MINUTE, now=now, minutes=minutes)


def events_by_day(*, now: int, days: int) -> list[Row]:
    """`day` and `events` that were signed on it (UTC), likewise."""
    return ask(EVENTS_BY_DAY, now=now, days=days)


def tables() -> list[Row]:
    """`name`, `rows`, `bytes`, `parts`, `partition_parts`, `merges`, `mutations`, largest first.

    partition_parts: those of the partition that has most; ClickHouse slows inserts down by it.
    """
    return ask(TABLES)


def disks() -> list[Row]:
    """`name`, `free_bytes` and `total_bytes` of the server's own disks."""
    return ask(DISKS)


def slowest_queries(*, now: int, row_limit: int) -> list[Row]:
    """`endpoint`, `query`, `times` and its seconds in the last hour, dearest first.

    Raises ClickhouseError where the server keeps no query_log, as the embedded one.
    """
    return ask(SLOWEST_QUERIES, now=now, row_limit=row_limit)


def read_model_age(*, now: int) -> int | None:
    """Seconds since the projector last completed a pass; None before the first one."""
    seconds: int = ask(READ_MODEL_AGE, now=now)[0]["seconds"]
    return None if seconds < 0 else seconds


def people_active(*, now: int) -> Row:
    """How many signed anything in the last `day`, `week` and `month` (of 30 days)."""
    return ask(PEOPLE_ACTIVE, now=now)[0]


def engagement(*, now: int) -> Row:
    """`videos`, `videos_of_the_day`, and the sums of what was done with all of them."""
    return ask(ENGAGEMENT, now=now)[0]
