"""`GET /api/users/{pubkey}/feed`: what the people publish whom one follows."""

from __future__ import annotations

import pytest

from tests.builders import (
    T,
    a_deletion,
    a_reaction,
    a_repost,
    a_video,
    alice,
    bob,
    carol,
    dave,
    follows,
    histories,
)
from tests.published import publish
from tests.videos.lists import assert_complete, get, pages_by_offset, videos_with_ties
from videos.serializers import SORTS

PATH = f"/api/users/{dave.pubkey}/feed"
FROM_A_BROWSER = {"HTTP_ORIGIN": "https://web.example"}


def pages_by_before(api, *, limit):
    """As the mobile client reads: `before` is the last answer's next_cursor."""
    before: dict[str, str] = {}
    while True:
        answer = get(api, PATH, limit=limit, **before)
        yield answer["videos"]
        if not answer["has_more"]:
            assert answer["next_cursor"] is None
            return
        before = {"before": answer["next_cursor"]}


def test_it_has_the_videos_of_the_people_in_the_current_list(api):
    publish(
        follows(dave, alice, bob, at=0),
        follows(dave, bob, carol, at=10),
        a_video(alice, title="of alice"),
        a_video(bob, title="of bob"),
        a_video(carol, title="of carol", at=5),
        a_video(dave, title="of dave"),
    )

    answer = get(api, PATH)

    assert {"next_cursor": None, "has_more": False}.items() <= answer.items()
    assert ["of carol", "of bob"] == [row["title"] for row in answer["videos"]]


def test_a_page_of_a_browser_gets_an_array_and_caches_keep_both_apart(api):
    publish(follows(dave, alice), a_video(alice, title="Cats"))

    app, browser = api.get(PATH), api.get(PATH, **FROM_A_BROWSER)

    assert ["videos", "next_cursor", "has_more"] == list(app.json())
    assert app.json()["videos"] == browser.json()
    assert "Origin" == app["Vary"] == browser["Vary"]


def test_who_follows_nobody_has_an_empty_feed(api):
    publish(a_video(alice), follows(bob, alice), a_deletion(follows(bob, alice), by=bob, at=1))

    empty: dict[str, object] = {"videos": [], "next_cursor": None, "has_more": False}
    assert empty == get(api, PATH)
    assert empty == get(api, f"/api/users/{bob.pubkey}/feed")


@pytest.mark.parametrize(("rows", "limit"), [(23, 2), (23, 7), (24, 12), (3, 100)])
def test_pages_by_before_are_full_and_lose_nothing_though_many_share_a_second(api, rows, limit):
    publish(follows(dave, alice), *videos_with_ties(rows))

    assert_complete(list(pages_by_before(api, limit=limit)), rows=rows, limit=limit)


def test_before_is_a_time_where_a_page_ends_between_seconds(api):
    publish(follows(dave, alice), *(a_video(alice, f"{n}", at=n) for n in range(4)))

    assert f"{T + 1}" == get(api, PATH, limit=2)["next_cursor"]
    assert 2 == len(get(api, PATH, before=T + 1)["videos"])


@pytest.mark.parametrize("sort", ["recent", "trending"])
def test_pages_of_a_browser_are_full_and_lose_nothing(api, sort):
    publish(follows(dave, alice), *videos_with_ties(23))
    api.credentials(**FROM_A_BROWSER)

    pages = list(pages_by_offset(api, PATH, limit=5, sort=sort))

    assert_complete(pages, rows=23, limit=5)


def test_in_other_orders_the_cursor_is_a_place_that_new_videos_do_not_shift(api, subtests):
    videos = videos_with_ties(5)
    publish(*histories(bob), follows(dave, alice), *videos, a_reaction(videos[0], bob))
    sorts = [sort for sort in SORTS if sort not in ("recent", "published")]
    firsts = {sort: get(api, PATH, sort=sort, limit=2) for sort in sorts}
    new = a_video(alice, "new", at=99)
    publish(new, a_repost(new, bob))

    for sort, first in firsts.items():
        with subtests.test(sort=sort):
            second = get(api, PATH, sort=sort, limit=2, cursor=first["next_cursor"])
            third = get(api, PATH, sort=sort, limit=2, cursor=second["next_cursor"])

            pages = [answer["videos"] for answer in (first, second, third)]
            assert_complete(pages, rows=5, limit=2)
            assert (False, None) == (third["has_more"], third["next_cursor"])


def test_an_app_may_give_any_next_cursor_back_as_before(api, subtests):
    publish(follows(dave, alice), *videos_with_ties(5))

    for sort in SORTS:
        with subtests.test(sort=sort):
            answer = get(api, PATH, sort=sort, limit=2)
            pages = [answer["videos"]]
            while before := answer["next_cursor"]:
                answer = get(api, PATH, sort=sort, limit=2, before=before)
                pages.append(answer["videos"])
            assert_complete(pages, rows=5, limit=2)


def test_videos_of_the_first_seconds_of_all_time_are_read_to_the_end(api):
    publish(
        follows(dave, alice),
        *(a_video(alice, f"{n}", tags=[("published_at", "1")]) for n in range(5)),
    )
    first = get(api, PATH, limit=2)
    second = get(api, PATH, limit=2, before=first["next_cursor"])
    third = get(api, PATH, limit=2, before=second["next_cursor"])

    assert_complete([answer["videos"] for answer in (first, second, third)], rows=5, limit=2)


@pytest.mark.parametrize("sort", ["recent", "trending"])
@pytest.mark.parametrize("first", [{"cursor": "o:1"}, {"offset": 1}])
def test_who_counts_rows_of_a_feed_goes_on_counting(api, sort, first):
    # All of one second, in which a place in time would count them too.
    publish(follows(dave, alice), *(a_video(alice, f"{n}") for n in range(5)))

    second = get(api, PATH, sort=sort, limit=2, **first)
    third = get(api, PATH, sort=sort, limit=2, cursor=second["next_cursor"])

    assert ("o:3", None) == (second["next_cursor"], third["next_cursor"])
    assert 4 == len({row["id"] for row in (*second["videos"], *third["videos"])})


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=99999999999999999", "cursor=x"])
def test_a_malformed_place_is_a_400(api, query):
    assert 400 == api.get(f"{PATH}?{query}").status_code
