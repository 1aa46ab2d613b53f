"""`GET /api/hashtags`, `/api/hashtags/trending` and `/api/categories`: what videos are about."""

from __future__ import annotations

import math
from itertools import chain, product

import pytest

from analytics.serializers import Category, Hashtag
from tests.builders import (
    A_DAY,
    T,
    a_deletion,
    a_note,
    a_reaction,
    a_video,
    a_view,
    alice,
    bob,
    carol,
)
from tests.published import NOW, publish

URLS = ["/api/hashtags", "/api/hashtags/trending"]


def tagged(*hashtags, by=alice, d="a", at=0, tags=()):
    return a_video(by, d, at=at, tags=[*(("t", hashtag) for hashtag in hashtags), *tags])


def names(api, url, **params):
    return [row["hashtag"] for row in api.get(url, params).json()]


@pytest.mark.parametrize("url", [*URLS, "/api/categories"])
def test_nothing_is_an_empty_array(api, url):
    response = api.get(url)

    assert 200 == response.status_code
    assert [] == response.json()
    assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_a_hashtag_has_the_numbers_of_its_videos(api, subtests):
    today = NOW - T
    older = tagged("Cats", d="a", at=today - 8 * A_DAY, tags=[("thumb", "https://x.example/a")])
    week = tagged("cats", d="b", at=today - 2 * A_DAY, tags=[("thumb", "https://x.example/b")])
    newest = tagged("#CATS", by=bob, d="c", at=today - 60)
    deleted = tagged("cats", d="d")
    publish(
        older,
        week,
        newest,
        deleted,
        a_deletion(deleted, by=alice),
        a_note(carol, at=0),
        a_reaction(week, carol, at=today),
        a_view(older, carol, loops="1.6", at=today),
        a_view(week, carol, loops="1.6", at=today),
    )

    for url in URLS:
        with subtests.test(url=url):
            [row] = api.get(url).json()

            score = row.pop("trending_score")
            assert math.isclose(math.exp(-48 / 168), score, rel_tol=1e-5)
            assert {
                "hashtag": "cats",
                "video_count": 3,
                "unique_creators": 2,
                "total_loops": 3,
                "last_used": NOW - 60,
                "videos_24h": 1,
                "videos_7d": 2,
                "thumbnail": "https://x.example/b",
            } == row
            assert set(Hashtag().fields) == {*row, "trending_score"}
            assert isinstance(row["total_loops"], int)


def test_popular_is_by_videos_and_trending_by_what_goes_on(api):
    hot = tagged("hot", d="hot", at=90_000)
    publish(
        *(tagged("many", d=f"v{number}", at=-60 * A_DAY) for number in range(3)),
        hot,
        a_note(bob, at=0),
        a_reaction(hot, bob, at=90_001),
    )

    assert ["many", "hot"] == names(api, "/api/hashtags")
    assert ["hot", "many"] == names(api, "/api/hashtags/trending")


def test_a_sensitive_video_gives_no_thumbnail(api):
    publish(tagged("cats", tags=[("thumb", "https://x.example/a"), ("content-warning", "")]))

    assert [""] == [row["thumbnail"] for row in api.get("/api/hashtags").json()]


def test_hashtags_are_found_by_a_part_those_that_begin_with_it_first(api, subtests):
    publish(
        *(tagged("altzürich", d=f"v{number}") for number in range(3)),
        tagged("Zürich", "cats", d="z"),
    )

    for url, q in product(URLS, ["zür", "#ZÜR", " Zür "]):
        with subtests.test(url=url, q=q):
            assert ["zürich", "altzürich"] == names(api, url, q=q)


def test_every_hashtag_is_on_one_page(api, subtests):
    hashtags = [f"tag{number}" for number in range(7)]
    publish(*(tagged(*hashtags, d=f"v{number}") for number in range(3)))

    for url, limit in product(URLS, [1, 2, 3, 7]):
        with subtests.test(url=url, limit=limit):
            pages = [names(api, url, limit=limit, offset=offset) for offset in range(0, 8, limit)]

            assert hashtags == list(chain(*pages))
            assert all(len(page) == limit for page in pages[: 7 // limit])


def test_categories_are_the_hashtags_that_everybody_knows(api):
    publish(
        tagged("Music", "mylife", d="a"),
        tagged("music", "dance", d="b"),
        tagged("musician", d="c"),
    )

    rows = api.get("/api/categories").json()

    assert [{"name": "music", "video_count": 2}, {"name": "dance", "video_count": 1}] == rows
    assert list(Category().fields) == list(rows[0])


def test_categories_are_paged_and_found_by_a_part(api):
    publish(tagged("music", "dance", "travel"))

    def asked(**params):
        return [row["name"] for row in api.get("/api/categories", params).json()]

    assert ["dance", "music", "travel"] == asked()
    assert [["dance", "music"], ["travel"]] == [asked(limit=2), asked(limit=2, offset=2)]
    assert ["music"] == asked(q="USI")
    assert [] == asked(q="nothing")
