"""`GET /api/v2/search` and the pages of `/api/search`."""

from __future__ import annotations

import pytest

from tests.builders import a_reaction, a_video, a_view, alice, bob, carol
from tests.published import NOW, publish
from tests.videos.lists import assert_complete, get, pages_by_cursor, pages_by_offset
from videos.serializers import SEARCH_SORTS


def cats(number):
    return [a_video(alice, f"v{n}", title="cats", at=n // 5) for n in range(number)]


@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12), (3, 100)])
def test_pages_are_full_and_lose_nothing(api, subtests, rows, limit):
    publish(*cats(rows), a_video(alice, "other", title="dogs"))

    for sort in SEARCH_SORTS:
        with subtests.test(sort=sort):
            by_cursor = pages_by_cursor(api, "/api/v2/search", limit=limit, q="cats", sort=sort)
            by_offset = pages_by_offset(api, "/api/search", limit=limit, q="cats", sort=sort)

            assert_complete(list(by_cursor), rows=rows, limit=limit)
            assert_complete(list(by_offset), rows=rows, limit=limit)


def test_pages_of_a_hashtag_are_full_and_lose_nothing(api):
    publish(*(a_video(alice, f"v{n}", tags=[("t", "cats")]) for n in range(7)))

    pages = list(pages_by_offset(api, "/api/search", limit=3, tag="cats"))

    assert_complete(pages, rows=7, limit=3)


def test_cursors_count_rows_as_the_mobile_client_does(api):
    publish(*cats(5))

    second = get(api, "/api/v2/search", q="cats", type="video", limit=2, cursor="o:2")
    third = get(api, "/api/v2/search", q="cats", type="video", limit=2, cursor="o:4")

    assert {"has_more": True, "next_cursor": "o:4"} == second["pagination"]
    assert {"has_more": False, "next_cursor": None} == third["pagination"]
    assert 1 == len(third["data"])


# Words of a title, of two texts, and none: an extension rules nothing out.
@pytest.mark.parametrize("q", ["cats", "sweet cats", "sort:hot"])
def test_new_videos_do_not_shift_the_next_page(api, subtests, monkeypatch, q):
    old = [
        a_video(
            alice,
            f"old{n}",
            title="cats" if n % 2 else f"{n}",
            content=f"sweet cats {n}",
            at=n // 3,
        )
        for n in range(7)
    ]
    publish(*old, *(a_reaction(video, bob) for video in old[2:5]))
    firsts = {sort: get(api, "/api/v2/search", q=q, sort=sort, limit=3) for sort in SEARCH_SORTS}
    new = [a_video(alice, f"new{n}", title="sweet cats", at=50 + n) for n in range(3)]
    publish(*new, *(a_reaction(video, by, at=60) for video in new for by in (bob, carol)))
    monkeypatch.setattr("funnel.clock.now", lambda: NOW + 7_200)

    for sort in SEARCH_SORTS:
        with subtests.test(sort=sort):
            answer = firsts[sort]
            shown = [row["id"] for row in answer["data"]]
            while cursor := answer["pagination"]["next_cursor"]:
                answer = get(api, "/api/v2/search", q=q, sort=sort, limit=3, cursor=cursor)
                shown += [row["id"] for row in answer["data"]]

            assert len(shown) == len(set(shown))
            assert {video.id for video in old} == set(shown) - {video.id for video in new}


def test_a_cursor_is_of_one_order(api):
    publish(*cats(3))
    first = get(api, "/api/v2/search", q="cats", limit=2)
    cursor = first["pagination"]["next_cursor"]

    for other in ({"q": "cats", "sort": "recent"}, {"q": "cats", "trust": "off"}, {"q": "sort:a"}):
        assert 400 == api.get("/api/v2/search", {**other, "cursor": cursor}).status_code


def test_what_is_found_comes_in_the_order_that_is_asked_for(api):
    titled = a_video(alice, "a", title="cats", content="titled")
    liked = a_video(alice, "b", content="cats, liked", at=1)
    played = a_video(alice, "c", content="cats, played", at=2)
    publish(titled, liked, played, a_reaction(liked, bob, at=3), a_view(played, bob, loops="4"))
    first = {
        "relevance": titled,
        "trending": liked,
        "engagement": liked,
        "popular": liked,
        "recent": played,
        "published": played,
        "loops": played,
    }

    for path in ("/api/search", "/api/v2/search"):
        found = {sort: get(api, path, q="cats", sort=sort) for sort in first}
        rows = {sort: each["data"] if "v2" in path else each for sort, each in found.items()}
        assert {sort: video.id for sort, video in first.items()} == {
            sort: each[0]["id"] for sort, each in rows.items()
        }


def test_a_search_can_be_limited_as_a_list_can(api):
    publish(
        a_video(alice, "a", title="cats", content="plain"),
        a_video(bob, "b", title="cats", tags=[("platform", "vine"), ("t", "pets")]),
    )

    for params in ({"classic": "true"}, {"author": bob.pubkey}, {"category": "pets"}):
        rows = get(api, "/api/search", q="cats", **params)
        assert [bob.pubkey] == [row["pubkey"] for row in rows]


@pytest.mark.parametrize("query", ["", "q=", "q=cats&cursor=x", "q=cats&sort=best", "q=a&limit=0"])
def test_a_search_for_nothing_or_with_a_malformed_parameter_is_a_400(api, query):
    assert 400 == api.get(f"/api/v2/search?{query}").status_code
