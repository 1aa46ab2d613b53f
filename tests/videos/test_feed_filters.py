"""`GET /api/videos`: every order, every filter, and the pages of a list."""

from __future__ import annotations

import pytest

from funnel.nostr import Kind
from tests.builders import (
    A_DAY,
    AN_HOUR,
    T,
    a_comment,
    a_reaction,
    a_video,
    a_view,
    alice,
    bob,
    carol,
    dave,
)
from tests.published import NOW, publish
from tests.videos.lists import assert_complete, get, pages_by_offset, videos_with_ties
from videos.queries import FEEDS
from videos.serializers import SORTS

AGO = NOW - T


def titles(api, **params):
    return [row["title"] for row in get(api, "/api/videos", **params)]


def test_every_order_that_may_be_asked_for_is_answered(api):
    publish(a_video(alice, title="Cats"))

    assert set(SORTS) == set(FEEDS)
    assert {sort: ["Cats"] for sort in SORTS} == {sort: titles(api, sort=sort) for sort in SORTS}


def test_published_is_recent_and_engagement_is_popular(api):
    liked, newer = a_video(alice, "a", title="liked"), a_video(alice, "b", title="newer", at=9)
    publish(liked, newer, a_reaction(liked, bob))

    assert ["newer", "liked"] == titles(api, sort="recent") == titles(api, sort="published")
    assert ["liked", "newer"] == titles(api, sort="popular") == titles(api, sort="engagement")


def test_likes_and_comments_rank_by_what_they_are_called(api):
    liked, discussed = a_video(alice, "a", title="liked"), a_video(alice, "b", title="discussed")
    publish(
        *(liked, discussed),
        a_reaction(liked, bob),
        a_reaction(discussed, bob, "-"),
        a_reaction(discussed, carol, "🔥"),
        a_comment(discussed, bob),
    )

    assert ["liked", "discussed"] == titles(api, sort="likes")
    assert ["discussed", "liked"] == titles(api, sort="comments")


def test_loops_are_those_of_the_archive_for_imported_videos_and_measured_for_others(api):
    imported = a_video(alice, "a", title="imported", tags=[("platform", "vine"), ("loops", "5")])
    claimed = a_video(alice, "b", title="claimed", tags=[("loops", "9000")])
    played = a_video(alice, "c", title="played")
    publish(imported, claimed, played, a_view(played, bob, loops="2.5"))

    assert ["imported", "played", "claimed"] == titles(api, sort="loops")


def test_watching_counts_the_playbacks_of_the_last_day_by_viewer_and_session(api):
    yesterdays, todays = a_video(alice, "a", title="a"), a_video(alice, "b", title="b")
    by_id = a_video(alice, "c", title="c")
    publish(
        *(yesterdays, todays, by_id),
        *(a_view(yesterdays, viewer, at=AGO - A_DAY) for viewer in (bob, carol)),
        a_view(todays, bob, at=AGO - A_DAY + 1),
        a_view(by_id, bob, via="e", session="s", at=AGO - AN_HOUR),
        a_view(by_id, bob, via="a", session="s", at=AGO - AN_HOUR),
        a_view(by_id, carol, at=AGO),
        *(a_view(todays, viewer, phase="end", loops="7", at=AGO) for viewer in (carol, dave)),
    )

    assert ["c", "b", "a"] == titles(api, sort="watching")


FILTERED: list[tuple[dict[str, str], set[str]]] = [
    ({"tag": "cats"}, {"cats", "both"}),
    ({"t": "#CATS"}, {"cats", "both"}),
    ({"category": "Cats"}, {"cats", "both"}),
    ({"tag": "cats", "category": "dogs"}, {"both"}),
    ({"author": bob.pubkey}, {"bob"}),
    ({"platform": "vine"}, {"vine"}),
    ({"platform": "VINE"}, {"vine"}),
    ({"exclude_platform": "vine"}, {"cats", "both", "bob", "nude", "long"}),
    ({"classic": "true"}, {"vine"}),
    ({"classic": "false"}, {"cats", "both", "bob", "nude", "long"}),
    ({"classic": "true", "exclude_platform": "vine"}, set()),
    ({"nsfw": "hide"}, {"cats", "both", "bob", "vine", "long"}),
    ({"nsfw": "false"}, {"cats", "both", "bob", "vine", "long"}),
    ({"nsfw": "show"}, {"cats", "both", "bob", "vine", "nude", "long"}),
    ({"kind": "normal"}, {"long"}),
    (
        {"tag": "", "platform": "", "category": ""},
        {"cats", "both", "bob", "vine", "nude", "long"},
    ),
    ({"tag": "#"}, set()),
    ({"tag": "it's \\ {now:UInt32}"}, set()),
]


def test_each_filter_leaves_what_it_names_in_every_order(api, subtests):
    publish(
        a_video(alice, "1", title="cats", tags=[("t", "Cats")]),
        a_video(alice, "2", title="both", tags=[("t", "cats"), ("t", "dogs")]),
        a_video(bob, "3", title="bob"),
        a_video(alice, "4", title="vine", tags=[("platform", "Vine")]),
        a_video(alice, "5", title="nude", tags=[("content-warning", "")]),
        a_video(alice, title="long", kind=Kind.VIDEO),
    )

    for params, expected in FILTERED:
        with subtests.test(**params):
            assert dict.fromkeys(SORTS, expected) == {
                sort: set(titles(api, sort=sort, **params)) for sort in SORTS
            }


def test_a_period_is_counted_back_from_now(api):
    ages = {"5 h": 5 * AN_HOUR, "20 h": 20 * AN_HOUR, "6 d": 6 * A_DAY, "20 d": 20 * A_DAY}
    ages |= {"300 d": 300 * A_DAY, "400 d": 400 * A_DAY}
    publish(*(a_video(alice, name, title=name, at=AGO - age) for name, age in ages.items()))
    names = list(ages)
    expected = {"now": 1, "today": 2, "day": 2, "week": 3, "month": 4, "year": 5}
    expected |= {"all": 6, "alltime": 6}

    actual = {period: titles(api, sort="popular", period=period) for period in expected}

    assert {period: names[:number] for period, number in expected.items()} == actual


def test_before_is_inclusive_and_means_when_a_video_was_published(api):
    publish(
        a_video(alice, "a", title="a", at=0),
        a_video(alice, "b", title="b", at=10),
        a_video(alice, "c", title="c", at=20),
        a_video(alice, "a", title="a", at=30),
    )

    assert ["b", "a"] == titles(api, sort="recent", before=T + 10)
    assert ["a"] == titles(api, sort="recent", before=T + 9)
    assert [] == titles(api, sort="recent", before=0)


@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12), (3, 100)])
def test_pages_by_offset_are_full_and_lose_nothing(api, subtests, rows, limit):
    videos = videos_with_ties(rows)
    publish(*videos, *(a_reaction(video, bob) for video in videos[::3]))

    for sort in SORTS:
        with subtests.test(sort=sort):
            pages = list(pages_by_offset(api, "/api/videos", limit=limit, sort=sort))

            assert_complete(pages, rows=rows, limit=limit)


@pytest.mark.parametrize(
    "query",
    [
        "author=alice",
        "classic=perhaps",
        "nsfw=perhaps",
        "period=never",
        "before=yesterday",
        "before=-1",
        "before=4294967296",
        "before=1.5",
        "offset=-1",
        "offset=x",
        "offset=99999999",
    ],
)
def test_a_malformed_filter_is_a_400_that_names_it(api, query):
    response = api.get(f"/api/videos?{query}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(query.partition("=")[0] + ": ")
