"""`GET /api/users/{pubkey}/videos`: what one author has published."""

from __future__ import annotations

import nostr_sdk
import pytest

from tests.builders import A_DAY, T, a_reaction, a_video, alice, bob
from tests.published import publish
from tests.videos.lists import assert_complete, get, pages_by_offset, videos_with_ties


def test_an_authors_videos_are_newest_first_and_nobody_elses(api):
    publish(
        a_video(alice, "a", title="older", at=0),
        a_video(alice, "b", title="newer", at=10),
        a_video(bob, "c", title="of bob", tags=[("p", alice.pubkey)]),
    )

    response = api.get(f"/api/users/{alice.pubkey}/videos")

    assert ["newer", "older"] == [row["title"] for row in response.json()]
    assert response["Cache-Control"].startswith("public, max-age=10, ")


def test_the_author_may_be_named_as_nip_19_encodes_pubkeys(api):
    publish(a_video(alice, title="Cats"))
    pubkey = nostr_sdk.PublicKey.parse(alice.pubkey)

    for name in (pubkey.to_bech32(), nostr_sdk.Nip19Profile(pubkey, []).to_bech32()):
        assert ["Cats"] == [row["title"] for row in api.get(f"/api/users/{name}/videos").json()]


def test_an_unknown_author_has_no_videos(api):
    response = api.get(f"/api/users/{'ab' * 32}/videos")

    assert 200 == response.status_code
    assert [] == response.json()


def test_the_limit_is_kept(api):
    publish(*(a_video(alice, f"v{number}") for number in range(3)))

    assert 2 == len(api.get(f"/api/users/{alice.pubkey}/videos?limit=2").json())


@pytest.mark.parametrize("pubkey", ["alice", "ab", "AB" * 32, "npub1abc", "nsec1" + "q" * 58])
def test_a_malformed_pubkey_is_a_400_that_does_not_repeat_it(api, pubkey):
    response = api.get(f"/api/users/{pubkey}/videos")

    assert 400 == response.status_code
    assert response.json()["error"].startswith("pubkey: ")
    assert "nsec1q" not in response.json()["error"]


def test_a_malformed_limit_is_a_400(api):
    assert 400 == api.get(f"/api/users/{alice.pubkey}/videos?limit=all").status_code


def test_the_header_tells_how_many_there_are_on_all_pages(api):
    publish(
        *videos_with_ties(7), a_video(bob), a_video(alice, "nude", tags=[("content-warning", "")])
    )
    path = f"/api/users/{alice.pubkey}/videos"

    queries = ["", "?limit=2&offset=4", f"?limit=2&before={T}", "?nsfw=hide"]

    assert ["8", "8", "8", "7"] == [api.get(path + query)["X-Total-Count"] for query in queries]


def test_what_is_too_old_to_trend_is_not_counted_among_what_trends(api):
    publish(a_video(alice, "new"), a_video(alice, "old", at=-31 * A_DAY))
    path = f"/api/users/{alice.pubkey}/videos"

    found = {sort: api.get(path, {"sort": sort}) for sort in ("recent", "trending")}

    assert {"recent": 2, "trending": 1} == {sort: len(each.json()) for sort, each in found.items()}
    assert {"recent": "2", "trending": "1"} == {
        sort: each["X-Total-Count"] for sort, each in found.items()
    }


@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12)])
def test_pages_by_offset_are_full_and_lose_nothing(api, rows, limit):
    publish(*videos_with_ties(rows), *videos_with_ties(3, by=bob))

    pages = list(pages_by_offset(api, f"/api/users/{alice.pubkey}/videos", limit=limit))

    assert_complete(pages, rows=rows, limit=limit)


def test_an_authors_videos_have_every_order_and_before(api):
    liked, newer = a_video(alice, "a", title="liked"), a_video(alice, "b", title="newer", at=9)
    publish(liked, newer, a_reaction(liked, bob))
    path = f"/api/users/{alice.pubkey}/videos"

    for params, expected in (
        ({"sort": "published"}, ["newer", "liked"]),
        ({"sort": "popular"}, ["liked", "newer"]),
        ({"before": T + 8}, ["liked"]),
    ):
        assert expected == [row["title"] for row in get(api, path, **params)]
