"""What the clock changes without a new event, and what is trending."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from funnel.clickhouse import Clickhouse
from funnel.nostr import Kind
from tests.builders import (
    A_DAY,
    AN_HOUR,
    T,
    a_comment,
    a_deletion,
    a_profile,
    a_reaction,
    a_video,
    a_view,
    alice,
    an_event,
    as_json,
    bob,
    bookmarks,
    carol,
    dave,
    histories,
)
from tests.clickhouse_schema.lively_day import EVENTS
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import each, fields, recent, row

AGE = NOW - T
TOLERANCE = 900


@pytest.fixture
def at_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Answers are given at another Unix second from then on."""
    return lambda seconds: monkeypatch.setattr("funnel.clock.now", lambda: seconds)


def trending(api, **params: str) -> list[str]:
    response = api.get("/api/videos", {"sort": "trending", **params})
    assert 200 == response.status_code, response.content
    return [video["title"] for video in response.json()]


def test_trending_begins_exactly_thirty_days_ago(api, at_clock):
    publish(
        a_video(alice, "within", title="within", at=AGE - 30 * A_DAY),
        a_video(alice, "before", title="before", at=AGE - 30 * A_DAY - 1),
        a_video(
            alice,
            "declared",
            title="declared before",
            tags=[("published_at", str(NOW - 31 * A_DAY))],
            at=AGE,
        ),
    )

    assert ["within"] == trending(api)
    at_clock(NOW + 1)
    assert [] == trending(api)


def test_trending_fades_by_the_week_and_the_future_is_no_more_than_fresh(api):
    ages = [-TOLERANCE, 0, AN_HOUR, 168 * AN_HOUR]
    videos = [a_video(alice, f"v{age}", title=str(age), at=AGE - age) for age in ages]
    publish(*histories(bob), *videos, *(a_comment(video, bob, at=AGE - 60) for video in videos))

    scores = each(api, videos, "trending_score")

    expected = [2.0, 2.0, 2 * math.exp(-1 / 168), 2 / math.e]
    assert pytest.approx(expected, rel=1e-12) == scores
    # Of two that are equally fresh the one published later is first.
    assert [str(age) for age in ages] == trending(api)


def test_trending_can_be_limited_to_kinds(api):
    kinds = [Kind.VIDEO, Kind.SHORT_VIDEO, Kind.ADDRESSABLE_VIDEO, Kind.ADDRESSABLE_SHORT_VIDEO]
    videos = [a_video(alice, title=str(int(kind)), kind=kind) for kind in kinds]
    likes = [
        a_reaction(video, person)
        for place, video in enumerate(videos)
        for person in (bob, carol, dave)[:place]
    ]
    publish(*histories(bob, carol, dave), *videos, *likes)

    assert ["34236", "34235", "22", "21"] == trending(api)
    assert ["34236", "22"] == trending(api, kind="short")
    assert ["34235"] == trending(api, kind="34235", limit="1")


def test_what_is_dated_ahead_falls_due_without_a_new_event(api, clickhouse: Clickhouse, at_clock):
    ahead = AGE + TOLERANCE + 1
    video = a_video(alice, "v1", title="now")
    deleted = a_video(alice, "deleted", title="to be deleted")
    delivery = Delivery(clickhouse, now=NOW)
    events = [
        *(video, deleted),
        a_reaction(video, bob, at=AGE + TOLERANCE),
        a_reaction(video, carol, at=ahead),
        a_reaction(video, bob, "-", at=ahead),
        a_view(video, carol, at=ahead),
        bookmarks(carol, video, at=ahead),
        a_profile(alice, name="Alice", at=ahead),
        a_deletion(deleted, at=ahead),
        a_video(alice, "v1", title="later", at=ahead),
        a_video(alice, "v2", title="new", at=ahead),
    ]
    delivery.deliver([[as_json(event) for event in events]])
    expected = ("title", "likes", "dislikes", "views", "bookmarks", "author_name")

    before = (fields(api, video, *expected), len(recent(api)), api.get("/api/stats").json())
    at_clock(NOW + 1)
    delivery.now = NOW + 1
    delivery.project()
    after = (fields(api, video, *expected), len(recent(api)), api.get("/api/stats").json())

    assert (
        dict(zip(expected, ("now", 1, 0, 0, 0, ""), strict=True)),
        2,
        {"total_events": 3, "total_videos": 2, "vine_videos": 0},
    ) == before
    assert (
        dict(zip(expected, ("later", 1, 1, 1, 1, "Alice"), strict=True)),
        2,
        {"total_events": 10, "total_videos": 2, "vine_videos": 0},
    ) == after


def test_what_expires_is_gone_without_a_new_event(api, clickhouse: Clickhouse, at_clock):
    soon = ("expiration", str(NOW + 1))
    video, gone = a_video(alice, "v1"), a_video(alice, "gone", tags=[soon])
    delivery = Delivery(clickhouse, now=NOW)
    events = [
        *(video, gone),
        a_reaction(video, bob, tags=[soon]),
        a_comment(video, bob, tags=[soon]),
        an_event(Kind.BOOKMARKS, bob, tags=[("e", video.id), soon]),
        an_event(Kind.PROFILE, alice, content='{"name":"Alice"}', tags=[soon]),
        # An older vote is the latest again.
        a_reaction(video, carol, at=5),
        a_reaction(video, carol, "-", tags=[soon], at=6),
    ]
    delivery.deliver([[as_json(event) for event in events]])
    expected = ("likes", "dislikes", "comments", "bookmarks", "author_name")

    before = (fields(api, video, *expected), len(recent(api)))
    at_clock(NOW + 1)
    by_the_clock_alone = len(recent(api))
    delivery.now = NOW + 1
    delivery.project()
    after = (fields(api, video, *expected), len(recent(api)))

    assert (dict(zip(expected, (1, 1, 1, 1, "Alice"), strict=True)), 2) == before
    assert 1 == by_the_clock_alone
    assert (dict(zip(expected, (1, 0, 0, 0, ""), strict=True)), 1) == after


def test_a_date_in_milliseconds_is_rejected_and_what_follows_is_taken(api, clickhouse: Clickhouse):
    delivery = Delivery(clickhouse, now=NOW)
    milliseconds = a_video(alice, "v1", at=T * 999)
    video = a_video(alice, "v2")

    delivery.deliver([[as_json(milliseconds), as_json(video)]])

    assert T * 1_000 == milliseconds.created_at
    assert ["bad_created_at"] == delivery.rejected
    assert [video.id] == [found["id"] for found in api.get("/api/videos?sort=recent").json()]


def test_replaying_everything_changes_no_answer(api, clickhouse: Clickhouse):
    def answers() -> list[object]:
        feeds = [f"/api/videos?sort={sort}" for sort in ("recent", "popular", "trending")]
        stats = [f"/api/videos/{event.id}/stats" for event in EVENTS]
        return [api.get(path).json() for path in (*feeds, "/api/stats", *stats)]

    delivery = Delivery(clickhouse, now=NOW)
    raws = [as_json(event) for event in EVENTS]
    delivery.deliver([raws])
    once = answers()

    delivery.deliver([raws[::-1], raws[::2], raws])

    assert once == answers()
    assert 0 < row(api, EVENTS[0])["engagement_score"]
