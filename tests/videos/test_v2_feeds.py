"""`GET /api/v2/videos`: lists with cursors that new videos do not shift."""

from __future__ import annotations

import math

import pytest

from funnel.nostr import Kind
from tests.builders import T, a_comment, a_reaction, a_repost, a_video, alice, bob, carol, histories
from tests.published import NOW, publish
from tests.videos.lists import assert_complete, get, pages_by_cursor, videos_with_ties
from videos.serializers import SORTS

PATH = "/api/v2/videos"


def next_cursor(api, **params):
    return get(api, PATH, **params)["pagination"]["next_cursor"]


def test_an_empty_list_has_no_more(api):
    empty = {"data": [], "pagination": {"has_more": False, "next_cursor": None}}

    assert empty == get(api, PATH)


@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12), (3, 100)])
def test_pages_by_cursor_are_full_and_lose_nothing(api, subtests, rows, limit):
    videos = videos_with_ties(rows)
    publish(*videos, *(a_reaction(video, bob) for video in videos[::3]))

    for sort in SORTS:
        with subtests.test(sort=sort):
            pages = list(pages_by_cursor(api, PATH, limit=limit, sort=sort))

            assert_complete(pages, rows=rows, limit=limit)


def test_new_videos_do_not_shift_the_next_page(api, subtests):
    old = [a_video(alice, f"old{n}", title=f"{n}") for n in range(6)]
    likes = [a_reaction(video, bob) for video in old]
    publish(*old, *likes)
    first_pages = {sort: get(api, PATH, sort=sort, limit=3) for sort in SORTS}
    new = [a_video(alice, f"new{n}", at=50 + n) for n in range(4)]
    publish(*new, *(a_reaction(video, by, at=60) for video in new for by in (bob, carol)))

    for sort, first in first_pages.items():
        with subtests.test(sort=sort):
            cursor = first["pagination"]["next_cursor"]
            second = get(api, PATH, sort=sort, limit=3, cursor=cursor)["data"]

            ids = {row["id"] for row in first["data"]}
            rest = {video.id for video in old} - ids
            assert rest == {row["id"] for row in second} & {video.id for video in old}
            assert not ids & {row["id"] for row in second}


def test_trending_goes_on_as_it_was_ranked_when_the_first_page_was_read(api, monkeypatch):
    videos = [a_video(alice, f"{n}", at=n) for n in range(6)]
    publish(*videos, *(a_reaction(video, bob) for video in videos))
    first = get(api, PATH, sort="trending", limit=3)

    monkeypatch.setattr("funnel.clock.now", lambda: NOW + 7_200)
    cursor = first["pagination"]["next_cursor"]
    second = get(api, PATH, sort="trending", limit=3, cursor=cursor)

    shown = [row["id"] for row in (*first["data"], *second["data"])]
    assert [video.id for video in reversed(videos)] == shown


def test_a_date_ahead_is_no_more_than_fresh_in_any_tier(api, subtests, monkeypatch):
    fading = 168 * 3_600
    # Five minutes before a score of four steps up a tier, which a date in a quarter of an hour has.
    now = math.ceil(math.ceil(NOW / (fading * math.log(2))) * fading * math.log(2)) - 300
    monkeypatch.setattr("funnel.clock.now", lambda: now)
    five_faded = a_video(alice, "five", at=now - T - round(fading * math.log(5 / 4.001)))
    fours_ahead = [a_video(alice, f"four{n}", at=now - T + 900 - n) for n in range(2)]
    three = a_video(alice, "three", at=now - T)
    videos = [five_faded, *fours_ahead, three]
    acts = [a_repost(video, bob, at=now - T - 9) for video in videos]
    acts += [a_comment(five_faded, carol, at=now - T - 9)]
    acts += [a_reaction(video, carol, at=now - T - 9) for video in fours_ahead]
    publish(*histories(bob, carol), *videos, *acts, now=now)

    for trust in ("on", "off"):
        with subtests.test(trust=trust):
            pages = list(pages_by_cursor(api, PATH, limit=1, sort="trending", trust=trust))
            third = get(api, PATH, limit=1, sort="trending", trust=trust, cursor="o:2")["data"]

            ids = [video.id for video in videos]
            assert [[id] for id in ids] == [[row["id"] for row in page] for page in pages]
            assert ids[2:3] == [row["id"] for row in third]


def test_filters_hold_for_what_is_dated_ahead(api, subtests):
    now = NOW - T
    vine = [("platform", "vine")]
    warned = [("content-warning", "loud")]
    videos = [
        a_video(alice, f"{at}{kind}{len(tags)}{tags[:1]}", at=now + at, kind=kind, tags=tags)
        for at in (-60, 300)
        for kind in (Kind.ADDRESSABLE_VIDEO, Kind.ADDRESSABLE_SHORT_VIDEO)
        for tags in ([], vine, warned)
    ]
    publish(*videos)

    for number, given in (
        (12, {}),
        (6, {"kind": "34236"}),
        (4, {"platform": "vine"}),
        (8, {"exclude_platform": "vine"}),
        (4, {"classic": "true"}),
        (8, {"nsfw": "hide"}),
        (6, {"before": NOW}),
        (2, {"kind": "34236", "nsfw": "hide", "classic": "false"}),
    ):
        with subtests.test(given=given):
            recent = get(api, PATH, sort="recent", limit=50, **given)["data"]
            pages = list(pages_by_cursor(api, PATH, sort="trending", limit=5, **given))

            assert number == len(recent)
            assert [row["id"] for row in recent] == [row["id"] for page in pages for row in page]
            skipped = get(api, PATH, sort="trending", limit=50, cursor="o:1", **given)["data"]
            assert [row["id"] for row in recent[1:]] == [row["id"] for row in skipped]


def test_a_client_may_count_rows_by_itself(api):
    videos = [a_video(alice, f"v{n}", title=f"{n}", at=-n) for n in range(5)]
    publish(*videos)

    second = get(api, PATH, sort="recent", limit=2, cursor="o:2")
    third = get(api, PATH, sort="recent", limit=2, cursor=second["pagination"]["next_cursor"])

    assert ["2", "3"] == [row["title"] for row in second["data"]]
    assert "o:4" == second["pagination"]["next_cursor"]
    assert ["4"] == [row["title"] for row in third["data"]]
    assert ["2", "3"] == [
        row["title"] for row in get(api, PATH, sort="recent", limit=2, offset=2)["data"]
    ]


def test_filters_hold_on_every_page(api):
    cats = [a_video(alice, f"cat{n}", tags=[("t", "cats")]) for n in range(5)]
    publish(*cats, *(a_video(alice, f"dog{n}") for n in range(5)))

    pages = list(pages_by_cursor(api, PATH, limit=2, sort="popular", tag="cats"))

    assert_complete(pages, rows=5, limit=2)


@pytest.mark.parametrize(
    "cursor", ["x", "p:next-page", "o:", "o:-1", "o:9999999", "o:12x", "a:b:c"]
)
def test_a_cursor_that_is_none_of_ours_is_a_400(api, cursor):
    response = api.get(PATH, {"cursor": cursor})

    assert 400 == response.status_code
    assert {"error": "cursor: must be a next_cursor of this list."} == response.json()


def test_a_cursor_that_was_changed_or_is_of_another_order_is_a_400(api):
    publish(*videos_with_ties(3))
    cursor = next_cursor(api, sort="recent", limit=1)
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]

    assert 400 == api.get(PATH, {"sort": "recent", "cursor": changed}).status_code
    assert 400 == api.get(PATH, {"sort": "popular", "cursor": cursor}).status_code


def test_an_empty_cursor_is_the_first_page(api):
    publish(a_video(alice))

    assert 1 == len(get(api, PATH, cursor="")["data"])
