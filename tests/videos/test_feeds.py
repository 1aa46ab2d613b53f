"""`GET /api/videos`: the newest, the most engaging, the trending videos."""

from __future__ import annotations

import pytest

from funnel.nostr import Kind
from tests.builders import (
    A_DAY,
    AN_HOUR,
    T,
    a_comment,
    a_profile,
    a_reaction,
    a_repost,
    a_video,
    address,
    alice,
    bob,
    carol,
    histories,
)
from tests.published import NOW, publish
from videos.serializers import Video

SORTS = ["recent", "popular", "trending"]


def titles(response):
    assert 200 == response.status_code, response.content
    return [row["title"] for row in response.json()]


def a_video_with_all(**changes):
    return a_video(
        alice,
        "cats",
        title="Cats",
        content="All of them",
        tags=[
            ("published_at", str(T)),
            (
                "imeta",
                "url https://media.example/v.mp4",
                "m video/mp4",
                "image https://media.example/t.jpg",
                "dim 720x1280",
                "duration 6.2",
                "fallback https://mirror.example/v.mp4",
            ),
            ("t", "Cats"),
            ("t", "#FUNNY"),
        ],
        **changes,
    )


def test_without_videos_every_feed_is_an_empty_array(api):
    for sort in SORTS:
        response = api.get(f"/api/videos?sort={sort}")

        assert 200 == response.status_code
        assert [] == response.json()


def test_a_row_has_what_the_apps_show(api):
    video = a_video_with_all()
    publish(
        video,
        a_profile(alice, name="Alice", picture="https://media.example/a.jpg"),
        a_reaction(video, bob),
        a_reaction(video, carol, "-"),
        a_comment(video, bob),
        a_repost(video, carol),
    )

    [row] = api.get("/api/videos?sort=recent").json()

    assert {
        "id": video.id,
        "pubkey": alice.pubkey,
        "created_at": T,
        "published_at": T,
        "kind": 34236,
        "d_tag": "cats",
        "address": address(video),
        "title": "Cats",
        "content": "All of them",
        "thumbnail": "https://media.example/t.jpg",
        "video_url": "https://media.example/v.mp4",
        "fallback_urls": ["https://mirror.example/v.mp4"],
        "dimensions": "720x1280",
        "duration": 6.2,
        "hashtags": ["cats", "funny"],
        "author_name": "Alice",
        "author_avatar": "https://media.example/a.jpg",
        "reactions": 2,
        "likes": 1,
        "dislikes": 1,
        "comments": 1,
        "reposts": 1,
        "engagement_score": 2 - 1 + 2 * 1 + 3 * 1,
        "sensitive": False,
        "classic": False,
        "tags": video.tags,
    }.items() <= row.items()


def test_a_row_is_what_its_schema_says(api):
    publish(a_video_with_all())

    [row] = api.get("/api/videos?sort=recent").json()

    described = Video(data=row)
    assert described.fields.keys() == row.keys()
    assert described.is_valid(), described.errors
    # is_valid() would also take "1" for a number and 0 for a boolean; apps do not.
    assert {
        "created_at": int,
        "published_at": int,
        "kind": int,
        "engagement_score": int,
        "sensitive": bool,
        "classic": bool,
        "emojis": dict,
        "tags": list,
    }.items() <= {name: type(value) for name, value in row.items()}.items()


def test_recent_is_newest_first_and_an_edit_moves_nothing(api):
    publish(
        a_video(alice, "a", title="older", at=0),
        a_video(alice, "b", title="newer", at=100),
        a_video(alice, "a", title="older, edited", at=200),
    )

    assert ["newer", "older, edited"] == titles(api.get("/api/videos?sort=recent"))


def test_popular_weighs_reactions_comments_and_reposts(api):
    liked, discussed, shared, plain = (
        a_video(alice, title, title=title) for title in ("liked", "discussed", "shared", "plain")
    )
    publish(
        *(liked, discussed, shared, plain),
        a_reaction(liked, bob),
        a_comment(discussed, bob),
        a_repost(shared, bob),
    )

    assert ["shared", "discussed", "liked", "plain"] == titles(api.get("/api/videos?sort=popular"))


def test_trending_fades_with_age_and_forgets_after_thirty_days(api):
    now = NOW - T
    ancient = a_video(alice, "ancient", title="ancient", at=now - 31 * A_DAY)
    old = a_video(alice, "old", title="old", at=now - 20 * A_DAY)
    fresh = a_video(alice, "fresh", title="fresh", at=now - AN_HOUR)
    likes = [a_reaction(video, by, at=now - 60) for video in (ancient, old) for by in (bob, carol)]
    like = a_reaction(fresh, bob, at=now - 60)
    publish(*histories(bob, carol), ancient, old, fresh, *likes, like)

    response = api.get("/api/videos?sort=trending")

    assert ["fresh", "old"] == titles(response)
    scores = [row["trending_score"] for row in response.json()]
    assert scores == sorted(scores, reverse=True)


def test_trending_is_what_is_served_when_no_sort_is_named(api):
    liked, plain = a_video(alice, "a", title="liked"), a_video(alice, "b", title="plain", at=10)
    publish(*histories(bob), liked, plain, a_reaction(liked, bob))

    assert ["liked", "plain"] == titles(api.get("/api/videos"))


def test_every_sort_can_be_limited_to_kinds(api):
    publish(
        *(
            a_video(alice, "v", title=str(int(kind)), kind=kind)
            for kind in (
                Kind.VIDEO,
                Kind.SHORT_VIDEO,
                Kind.ADDRESSABLE_VIDEO,
                Kind.ADDRESSABLE_SHORT_VIDEO,
            )
        )
    )
    expected = {
        "21": {"21"},
        "22": {"22"},
        "34235": {"34235"},
        "34236": {"34236"},
        "short": {"22", "34236"},
        "normal": {"21", "34235"},
        "21,34236": {"21", "34236"},
        "short,21": {"21", "22", "34236"},
    }

    for sort in SORTS:
        actual = {
            kind: set(titles(api.get("/api/videos", {"sort": sort, "kind": kind})))
            for kind in expected
        }
        assert expected == actual


def test_a_page_is_as_long_as_asked_and_at_most_fifty_unasked(api):
    publish(*(a_video(alice, f"v{number}", at=number) for number in range(101)))

    for sort in SORTS:
        lengths = {
            query: len(api.get(f"/api/videos?sort={sort}{query}").json())
            for query in ("&limit=1", "", "&limit=100")
        }
        assert {"&limit=1": 1, "": 50, "&limit=100": 100} == lengths


@pytest.mark.parametrize(
    "query",
    [
        "sort=nope",
        "sort=",
        "sort=RECENT",
        "kind=99999999",
        "kind=1",
        "kind=",
        "kind=22,",
        "kind=NaN",
        "limit=abc",
        "limit=",
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=1.5",
        "limit=99999999999999999999",
        "limit=1e1",
    ],
)
def test_a_malformed_parameter_is_a_400_that_names_it(api, query):
    response = api.get(f"/api/videos?{query}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(query.partition("=")[0] + ": ")
    assert "no-store" == response["Cache-Control"]


def test_unknown_parameters_are_ignored(api):
    publish(a_video(alice, title="Cats"))

    query = "nsfw=show&moderation_profile=default&format=xml&limit=10"

    assert ["Cats"] == titles(api.get(f"/api/videos?{query}"))


def test_the_answer_may_be_cached_for_a_minute(api):
    assert api.get("/api/videos")["Cache-Control"].startswith("public, max-age=30, ")


def test_head_is_get_without_the_body(api):
    publish(a_video(alice))

    got, head = api.get("/api/videos"), api.head("/api/videos")

    assert 200 == head.status_code
    assert b"" == head.content
    assert got["Cache-Control"] == head["Cache-Control"]
    assert got["Content-Length"] == head["Content-Length"]
