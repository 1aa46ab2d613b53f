"""The objects that people ask by name say what the API says."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query
from tests.clickhouse_schema.lively_day import DELIVERED, EDITED, EVENTS, NOW, SHORT
from tests.delivery import Delivery

LATER = NOW + 60


@pytest.fixture
def rows_of(clickhouse: Clickhouse, monkeypatch: pytest.MonkeyPatch):
    """Asks a view of the lively day at LATER."""
    monkeypatch.setattr("funnel.clock.now", lambda: LATER)
    Delivery(clickhouse, now=LATER).deliver(DELIVERED)

    def rows(view: str, *columns: str) -> list[dict[str, Any]]:
        select = f"-- Some of it.\nSELECT {', '.join(columns)} FROM {view}"
        query = parse_query(f"tests.{view}", select)
        return clickhouse.select(query, {"now": LATER} if query.params else {})

    return rows


def test_the_views_of_videos_say_what_the_api_says(api: APIClient, rows_of):
    listed = api.get("/api/videos", {"sort": "recent"}).json()
    assert {EDITED.id, SHORT.id} < {video["id"] for video in listed}
    for view, *columns in (
        ("reaction_counts", "reactions", "likes", "dislikes"),
        ("comment_counts", "comments"),
        ("repost_counts", "reposts", "quotes"),
        ("trending_videos", "title", "published_at", "engagement_score", "trending_score"),
        ("videos", "title", "hashtags", "loops", "views", "bookmarks", "zaps_unverified"),
    ):
        shown = {row["id"]: row for row in rows_of(f"{view}(now = {{now:UInt32}})", "id", *columns)}

        assert {
            video["id"]: {name: video[name] for name in ("id", *columns)} for video in listed
        } == shown


def test_the_views_of_everything_say_what_the_api_says(api: APIClient, rows_of):
    def asked(view: str, *columns: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = rows_of(f"{view}(now = {{now:UInt32}})", *columns)
        return rows

    hashtags = api.get("/api/hashtags").json()
    listed = api.get("/api/videos", {"sort": "recent"}).json()
    assert [(each["hashtag"], each["video_count"]) for each in hashtags] == [
        (row["hashtag"], row["video_count"])
        for row in asked("popular_video_hashtags", "hashtag", "video_count")
    ]
    assert sorted((tag, video["id"]) for video in listed for tag in video["hashtags"]) == sorted(
        (row["hashtag"], row["id"]) for row in asked("video_hashtags", "hashtag", "id")
    )
    creators = api.get("/api/creators/top").json()
    assert sorted((each["pubkey"], each["video_count"]) for each in creators) == sorted(
        (row["pubkey"], row["video_count"])
        for row in asked("top_video_creators", "pubkey", "video_count")
    )
    for interval, view in (("day", "daily"), ("week", "weekly"), ("month", "monthly")):
        periods = api.get("/api/stats/active-users", {"interval": interval}).json()
        start = f"toUnixTimestamp(toDateTime({interval}, 'UTC')) AS start"
        counted = asked(f"{view}_active_users", start, "active_users")
        assert {row["start"]: row["active_users"] for row in counted} == {
            each["start"]: each["active_users"] for each in periods if each["active_users"]
        }


def test_every_tag_of_every_event_can_be_asked(rows_of):
    events = {row["id"]: row for row in rows_of("events_local FINAL", "id", "tags")}
    flat = rows_of("event_tags_flat", "event_id", "tag_name", "tag_value", "tag")

    assert len(events) < len(EVENTS)
    assert sum(len(event["tags"]) for event in events.values()) == len(flat)
    assert all(row["tag"] in events[row["event_id"]]["tags"] for row in flat)
    assert all([row["tag_name"], row["tag_value"]] == row["tag"][:2] for row in flat)


def test_what_inserts_reach_keeps_neither_statistics_nor_lengths_of_their_own(
    clickhouse: Clickhouse,
):
    """Each merge would write them again, and nobody reads them."""
    reached = parse_query(
        "tests.reached",
        """-- Tables with tokens of inserts, and their settings.
        SELECT
            name,
            engine_full
        FROM system.tables
        WHERE database = currentDatabase()
            AND engine_full LIKE '%non_replicated_deduplication_window%'
        """,
    )

    engines = {row["name"]: row["engine_full"] for row in clickhouse.select(reached, {})}

    assert {"events_local", "engagement", "playbacks", "vanish_requests"} < set(engines)
    for bare in ("string_serialization_version = 'single_stream'", "auto_statistics_types = ''"):
        assert [] == [name for name, engine in engines.items() if bare not in engine]
