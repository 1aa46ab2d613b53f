"""`GET /api/users/{pubkey}/analytics`: what happened to one's own videos, for oneself alone."""

from __future__ import annotations

import pytest

from analytics.queries import CREATOR_ANALYTICS
from funnel.sql import parse_query
from tests.builders import (
    A_DAY,
    T,
    a_comment,
    a_deletion,
    a_reaction,
    a_repost,
    a_video,
    a_view,
    alice,
    bob,
    carol,
    dave,
)
from tests.published import NOW, publish
from tests.signed_requests import header_of, proof
from tests.videos.test_reading import rows_read

pytestmark = pytest.mark.django_db

SITE = "https://funnel.example"
OWN_PATH = f"/api/users/{alice.pubkey}/analytics"
# The day of NOW, 2023-11-16, begins this long after T.
TODAY = (NOW - T) - NOW % A_DAY

ACTS_ON_OTHERS = parse_query(
    "tests.acts_on_others",
    """-- Reactions to videos of other people.
    INSERT INTO engagement (
        target, relation, event_id, token, actor, pubkey, kind, created_at, expiration
    )
    SELECT
        concat('34236:', lower(hex(SHA256(toString(number % 1000)))), ':v') AS target,
        'reaction' AS relation,
        lower(hex(SHA256(toString(number)))) AS event_id,
        '+' AS token,
        event_id AS actor,
        event_id AS pubkey,
        7 AS kind,
        {now:UInt32} AS created_at,
        4294967295 AS expiration
    FROM numbers(100000)
    """,
)
PLAYBACKS_OF_OTHERS = parse_query(
    "tests.playbacks_of_others",
    """-- Playbacks of the same.
    INSERT INTO playbacks (target, event_id, pubkey, created_at, session, milliloops)
    SELECT
        concat('34236:', lower(hex(SHA256(toString(number % 1000)))), ':v') AS target,
        lower(hex(SHA256(toString(number)))) AS event_id,
        event_id AS pubkey,
        {now:UInt32} AS created_at,
        event_id AS session,
        1000 AS milliloops
    FROM numbers(100000)
    """,
)


@pytest.fixture(autouse=True)
def an_address_of_its_own(settings):
    settings.PUBLIC_URL = SITE


def answered(api, query="", *, by=alice, path=None):
    target = (path or f"/api/users/{by.pubkey}/analytics") + query
    return api.get(target, headers=header_of(proof(SITE + target, by=by, at=NOW - T)))


def numbers(api, query="", *, by=alice):
    response = answered(api, query, by=by)
    assert 200 == response.status_code, response.content
    return response.json()


def days(series):
    """The days on which something happened."""
    return {day["date"]: day["value"] for day in series if day["value"]}


def test_a_window_has_what_happened_in_it_to_ones_live_videos(api):
    old = a_video(alice, "v", at=TODAY - 40 * A_DAY)
    video = a_video(alice, "v", title="edited", at=TODAY - A_DAY)
    quiet = a_video(alice, kind=22, at=TODAY - 2 * A_DAY)
    gone, others = a_video(alice, "gone", at=0), a_video(bob, "w", at=0)
    taken_back = a_repost(video, dave, at=TODAY + 5)
    publish(
        *(old, video, quiet, gone, others),
        a_deletion(gone, by=alice, at=10),
        # Before the window; the same person again in it changes nothing.
        a_reaction(old, bob, at=TODAY - 31 * A_DAY),
        a_reaction(video, bob, "🔥", at=TODAY - A_DAY + 1, via="a"),
        a_reaction(video, carol, at=TODAY - A_DAY + 1),
        *(a_comment(video, bob, f"{n}", at=TODAY + n) for n in range(3)),
        a_repost(old, carol, at=TODAY - 3),
        taken_back,
        a_deletion(taken_back, by=dave, at=TODAY + 9),
        *(
            a_view(old, bob, session="s", phase=phase, at=TODAY - A_DAY)
            for phase in ("start", "end")
        ),
        a_view(video, bob, loops="1.5", at=TODAY + 2),
        a_view(video, carol, loops="2.25", at=TODAY - 7 * A_DAY),
        a_view(quiet, carol, at=TODAY + 3),
        a_view(video, dave, at=TODAY - 30 * A_DAY),
        a_view(gone, bob, at=TODAY),
        a_reaction(gone, bob, at=TODAY),
        a_view(others, carol, at=TODAY),
        a_comment(others, carol, at=TODAY),
    )

    month = numbers(api)

    assert {
        "pubkey": alice.pubkey,
        "window": "30d",
        "period": "30d",
        "total_views": 4,
        "total_loops": 3.75,
        "total_watch_time": None,
        "unique_viewers": 2,
        "summary": {
            "video_count": 2,
            "views": 4,
            "unique_viewers": 2,
            "reactions": 1,
            "comments": 3,
            "reposts": 1,
            "has_view_data": True,
        },
    }.items() <= month.items()
    series = month["timeseries"]
    assert [30, 30] == [len(series[name]) for name in ("daily_views", "daily_interactions")]
    assert ("2023-10-18", "2023-11-16") == (
        series["daily_views"][0]["date"],
        series["daily_views"][-1]["date"],
    )
    assert {"2023-11-09": 1, "2023-11-15": 1, "2023-11-16": 2} == days(series["daily_views"])
    assert {"2023-11-15": 2, "2023-11-16": 3} == days(series["daily_interactions"])
    assert [] == series["daily_follows"]
    assert [(video.id, 3, 5 / 3), (quiet.id, 1, 0.0)] == [
        (post["id"], post["views"], post["engagement_rate"]) for post in month["top_posts"]
    ]
    found = {window: numbers(api, f"?window={window}") for window in ("7d", "28d", "90d", "all")}
    assert [3, 4, 5, 5] == [each["total_views"] for each in found.values()]
    assert [1, 1, 2, 2] == [each["summary"]["reactions"] for each in found.values()]
    assert [7, 28, 90] == [len(each["timeseries"]["daily_views"]) for each in found.values()][:3]
    # Of all time it is what the person's page says.
    page = api.get(f"/api/users/{alice.pubkey}").json()
    everything = found["all"]
    assert page["stats"]["video_count"] == everything["summary"]["video_count"]
    assert page["engagement"] == {
        "total_reactions": everything["summary"]["reactions"],
        "total_loops": everything["total_loops"],
        "total_views": everything["total_views"],
        "archived_loops": 0,
    }
    first = days(everything["timeseries"]["daily_views"])
    assert 1 == first["2023-10-17"]
    assert 5 == sum(first.values())


def test_top_posts_are_ten_at_most_in_the_order_asked_for(api):
    videos = [a_video(alice, f"v{n}") for n in range(12)]
    # The later ones are seen more, the earlier ones discussed more.
    publish(
        *videos,
        *(a_view(video, bob, at=10 * n + i) for n, video in enumerate(videos) for i in range(n)),
        *(a_comment(v, bob, f"{i}") for n, v in enumerate(videos[:4]) for i in range(4 - n)),
    )

    by_views = numbers(api, "?top_posts_sort=views")["top_posts"]
    by_engagement = numbers(api, "?top_posts_sort=engagement")["top_posts"]

    ids = [video.id for video in videos]
    assert ids[:1:-1] == [post["id"] for post in by_views]
    assert [*ids[:4], *ids[:5:-1]] == [post["id"] for post in by_engagement]
    assert [None, 3.0, 1.0] == [post["engagement_rate"] for post in by_engagement[:3]]


def test_nothing_is_zeros_and_what_is_played_without_limit_is_capped(api):
    video = a_video(bob, "v")
    publish(video, *(a_view(video, carol, at=n) for n in range(101)))

    nothing = numbers(api)

    assert (0, 0.0, 0) == tuple(
        nothing[name] for name in ("total_views", "total_loops", "unique_viewers")
    )
    assert 0 == nothing["summary"]["video_count"]
    assert nothing["summary"]["has_view_data"] is False
    assert [] == nothing["top_posts"]
    assert 30 == len(nothing["timeseries"]["daily_views"])
    assert 100 == numbers(api, "?window=7d", by=bob)["total_views"]


def test_nobody_else_reads_it_and_no_cache_keeps_it(api):
    publish(video := a_video(alice, "v"))

    unsigned, others = api.get(OWN_PATH), answered(api, by=bob, path=OWN_PATH)

    assert (401, "Nostr") == (unsigned.status_code, unsigned["WWW-Authenticate"])
    assert 403 == others.status_code
    for refused in (unsigned, others):
        assert "no-store" == refused["Cache-Control"]
        assert ["error"] == list(refused.json())
    own = answered(api)
    assert 200 == own.status_code
    assert "private, no-cache" == own["Cache-Control"]
    assert "Authorization" in own["Vary"]
    assert "ETag" not in own
    publish(a_view(video, bob), now=NOW + 1)
    assert 1 == numbers(api)["total_views"]
    # What was signed is the address with its query.
    signed = header_of(proof(SITE + OWN_PATH, at=NOW - T))
    assert 401 == api.get(OWN_PATH + "?window=7d", headers=signed).status_code


def test_what_happens_to_others_is_not_read(api, empty_clickhouse):
    video = a_video(alice, "v")
    publish(video, a_view(video, bob), a_reaction(video, bob))
    empty_clickhouse.execute(ACTS_ON_OTHERS, {"now": NOW})
    empty_clickhouse.execute(PLAYBACKS_OF_OTHERS, {"now": NOW})

    read = rows_read(
        empty_clickhouse,
        CREATOR_ANALYTICS,
        {"now": NOW, "pubkey": alice.pubkey, "first_day": 0, "by_engagement": 0, "row_limit": 10},
    )

    # A few granules of 256 for each time that a table is asked, of 200,000 rows.
    assert read < 10_000


@pytest.mark.parametrize(
    ("query", "name"),
    [("?window=31d", "window"), ("?window=", "window"), ("?top_posts_sort=x", "top_posts_sort")],
)
def test_an_unknown_window_or_order_is_a_400(api, query, name):
    response = answered(api, query)

    assert 400 == response.status_code
    assert response.json()["error"].startswith(name)
