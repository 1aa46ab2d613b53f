"""`GET /api/users/{pubkey}/recommendations` and `/api/feed/recommended`: videos for one person."""

from __future__ import annotations

import math

import pytest

from tests.builders import (
    A_DAY,
    T,
    a_comment,
    a_deletion,
    a_reaction,
    a_repost,
    a_video,
    alice,
    bob,
    carol,
    dave,
    mallory,
)
from tests.consumers import shown_by_both
from tests.published import NOW, publish

URL = f"/api/users/{dave.pubkey}/recommendations"


def video(by, d, *hashtags, at=0, **changes):
    tags = [("imeta", f"url https://media.example/{d}.mp4"), *(("t", tag) for tag in hashtags)]
    return a_video(by, d, title=d, tags=tags, at=at, **changes)


def titles(answer):
    return [row["title"] for row in shown_by_both(answer["videos"])]


def get(api, url=URL, **params):
    response = api.get(url, params)
    assert 200 == response.status_code, response.content
    return response.json()


def test_what_somebody_likes_decides_what_comes_first(api):
    liked, commented, disliked = (
        video(alice, "liked", "cats"),
        video(bob, "commented", "cats", "tea"),
        video(carol, "disliked", "dogs"),
    )
    popular = video(carol, "popular", "dogs")
    publish(
        *(liked, commented, disliked, popular),
        video(carol, "more cats", "cats"),
        video(carol, "old cats", "Cats", at=-20 * A_DAY),
        video(carol, "ancient cats", "cats", at=-40 * A_DAY),
        first := video(carol, "first cats", "cats", at=-90 * A_DAY),
        a_repost(first, bob),
        video(carol, "tea and cats", "cats", "tea"),
        video(bob, "more of bob"),
        video(dave, "mine", "cats"),
        a_reaction(liked, dave),
        a_comment(commented, dave, via="e"),
        a_reaction(disliked, dave, "-"),
        *(a_repost(popular, by) for by in (alice, bob)),
    )

    answer = get(api)

    assert [
        *("tea and cats", "more cats", "more of bob", "old cats"),
        # Of no interest, or not any more: by engagement.
        *("popular", "first cats", "ancient cats"),
    ] == titles(answer)
    assert ("personalized", False) == (answer["source"], answer["fallback_applied"])
    assert answer["videos"] == get(api, "/api/feed/recommended", pubkey=dave.pubkey)["videos"]
    assert ["tea and cats"] == titles(get(api, category="tea"))
    # Of a category the newest.
    assert ["tea and cats", "more cats", "old cats", "ancient cats", "first cats"] == titles(
        get(api, category="Cats")
    )


def test_what_was_taken_back_says_nothing(api):
    seen = video(alice, "seen", "cats")
    reaction = a_reaction(seen, dave)
    publish(seen, video(bob, "dogs", "dogs"), reaction, a_deletion(reaction, by=dave))

    answer = get(api)

    assert ("popular", True) == (answer["source"], answer["fallback_applied"])
    assert {"seen", "dogs"} == set(titles(answer))


@pytest.mark.parametrize("url", [URL, "/api/feed/recommended"])
def test_who_has_liked_nothing_gets_the_fallback_and_is_told_so(api, url):
    liked = video(alice, "liked")
    publish(liked, video(alice, "new", at=5), a_reaction(liked, bob))

    popular, recent = (get(api, url, fallback=name) for name in ("popular", "recent"))

    assert ["liked", "new"] == titles(popular)
    assert ["new", "liked"] == titles(recent)
    for name, answer in (("popular", popular), ("recent", recent)):
        del answer["videos"]
        assert {
            "source": name,
            "limit": 20,
            "offset": 0,
            "has_more": False,
            "next_offset": None,
            "next_cursor": None,
            "fallback_applied": True,
        } == answer


@pytest.mark.parametrize("by", ["next_offset", "next_cursor"])
def test_every_page_but_the_last_is_full_and_nothing_is_lost_or_doubled(api, by):
    rows, limit = 11, 4
    liked = video(alice, "liked", "cats")
    publish(
        liked,
        a_reaction(liked, dave),
        *(video(mallory, f"{n}", *(["cats"] if n % 3 else []), at=n // 5) for n in range(rows)),
    )

    pages: list[list[str]] = []
    place: dict[str, object] = {}
    while True:
        answer = get(api, limit=limit, **place)
        pages.append(titles(answer))
        if not answer["has_more"]:
            break
        place = {by.removeprefix("next_"): answer[by]}

    assert math.ceil(rows / limit) == len(pages)
    assert all(limit == len(page) for page in pages[:-1])
    assert {f"{n}" for n in range(rows)} == {title for page in pages for title in page}
    assert rows == sum(map(len, pages))


@pytest.mark.parametrize("personal", [True, False])
def test_neither_new_videos_nor_new_likes_shift_the_next_page(api, monkeypatch, personal):
    videos = [video(mallory, f"{n}", *(["cats"] if n % 3 else []), at=n // 5) for n in range(11)]
    liked = video(alice, "liked", "cats")
    publish(liked, *videos, a_reaction(liked, dave if personal else bob))
    # Of many acts the latest count; a new one makes no old one be forgotten on the way.
    monkeypatch.setattr("videos.recommendations.LATEST_ACTS", 1)
    answer = get(api, limit=4)
    shown, sources = titles(answer), [answer["source"]]
    # Who is shown something may like it at once.
    likes = [a_reaction(videos[int(shown[0])], dave, at=NOW - T + 9)] if personal else []
    publish(*likes, *(video(mallory, f"new {n}", "cats", at=30) for n in range(3)))
    monkeypatch.setattr("funnel.clock.now", lambda: NOW + 7_200)
    while answer["has_more"]:
        answer = get(api, limit=4, cursor=answer["next_cursor"])
        assert len(shown) == answer["offset"]
        shown += titles(answer)
        sources.append(answer["source"])

    assert {"personalized" if personal else "popular"} == set(sources)
    assert len(shown) == len(set(shown))
    assert {f"{n}" for n in range(11)} == {title for title in shown if title.isdecimal()}


def test_who_takes_back_all_they_liked_goes_on_with_the_fallback(api):
    liked = video(alice, "liked", "cats")
    reaction = a_reaction(liked, dave)
    publish(liked, reaction, *(video(mallory, f"{n}", "cats", at=n) for n in range(5)))
    first = get(api, limit=2)
    publish(a_deletion(reaction, by=dave))

    second = get(api, limit=2, cursor=first["next_cursor"])

    assert ("personalized", "popular") == (first["source"], second["source"])
    assert (2, 4) == (second["offset"], second["next_offset"])


@pytest.mark.parametrize("wrong", ["fallback=best", "cursor=nonsense", "limit=0", "nsfw=maybe"])
def test_a_malformed_parameter_is_a_400_that_names_it(api, wrong):
    response = api.get(f"{URL}?{wrong}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(wrong.partition("=")[0])


def test_no_tab_is_featured(api):
    assert {"poll_interval_seconds": 300, "featured_tabs": []} == get(api, "/api/featured-tabs")


def test_a_tab_that_an_app_remembers_is_empty_and_not_missing(api):
    publish(video(alice, "cats"))

    answer = get(api, "/api/featured-tabs/0b9c/videos", limit=12)

    assert {"data": [], "pagination": {"has_more": False, "next_cursor": None}} == answer
    for wrong in ("limit=101", "cursor=nonsense"):
        assert 400 == api.get(f"/api/featured-tabs/0b9c/videos?{wrong}").status_code
