"""`GET /api/users/{pubkey}/social`, `/followers`, `/following` (NIP-02)."""

from __future__ import annotations

from itertools import product

import pytest

from analytics.serializers import Followers, Following, Social
from tests.builders import Author, a_profile, alice, an_event, bob, carol, dave, follows
from tests.published import publish

FANS = [Author(f"fan {number}") for number in range(7)]
LIMITS = [1, 2, 3, 7]


def test_counts_of_nobody_are_zero(api):
    response = api.get(f"/api/users/{'ab' * 32}/social")

    assert {"pubkey": "ab" * 32, "follower_count": 0, "following_count": 0} == response.json()
    assert list(Social().fields) == list(response.json())


def test_counts_are_of_people(api):
    publish(
        follows(bob, alice, alice, carol),
        follows(carol, alice),
        an_event(3, alice, tags=[("p", bob.pubkey), ("p", "no pubkey"), ("t", "cats")]),
    )

    assert {"pubkey": alice.pubkey, "follower_count": 2, "following_count": 1} == api.get(
        f"/api/users/{alice.pubkey}/social"
    ).json()


@pytest.mark.parametrize(("name", "schema"), [("followers", Followers), ("following", Following)])
def test_nobody_is_an_empty_page(api, name, schema):
    response = api.get(f"/api/users/{'ab' * 32}/{name}")

    assert 200 == response.status_code
    assert {name: [], "total": 0, "has_more": False, "query": None} == response.json()
    assert list(schema().fields) == list(response.json())
    assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_every_follower_is_on_one_page(api, subtests):
    publish(*(follows(fan, alice) for fan in FANS))

    for limit in LIMITS:
        with subtests.test(limit=limit):
            pages = pages_of(api, f"/api/users/{alice.pubkey}/followers", "followers", limit)

            everybody = [pubkey for page in pages for pubkey in page]
            assert sorted(fan.pubkey for fan in FANS) == everybody
            assert [limit] * (len(pages) - 1) == [len(page) for page in pages[:-1]]


def test_a_follow_list_is_paged_in_its_own_order(api, subtests):
    publish(follows(alice, *FANS))

    for limit in LIMITS:
        with subtests.test(limit=limit):
            pages = pages_of(api, f"/api/users/{alice.pubkey}/following", "following", limit)

            assert [fan.pubkey for fan in FANS] == [pubkey for page in pages for pubkey in page]
            assert [limit] * (len(pages) - 1) == [len(page) for page in pages[:-1]]


def pages_of(api, url, name, limit):
    pages: list[list[str]] = []
    while True:
        answer = api.get(url, {"limit": limit, "offset": limit * len(pages)}).json()
        assert len(FANS) == answer["total"]
        pages.append(answer[name])
        if not answer["has_more"]:
            return pages


def test_a_follow_list_without_a_limit_is_whole(api):
    people = [f"{number:064x}" for number in range(600)]
    publish(an_event(3, alice, tags=[("p", pubkey) for pubkey in people]))

    answer = api.get(f"/api/users/{alice.pubkey}/following").json()

    assert people == answer["following"]
    assert [600, False] == [answer["total"], answer["has_more"]]


def test_a_page_beyond_the_end_is_empty_and_knows_the_total(api):
    publish(follows(alice, bob), follows(bob, alice))

    for name in ("followers", "following"):
        answer = api.get(f"/api/users/{alice.pubkey}/{name}?offset=5").json()

        assert {name: [], "total": 1, "has_more": False, "query": None} == answer


def test_people_are_found_by_what_they_are_called(api, subtests):
    publish(
        *(follows(fan, alice) for fan in (bob, carol)),
        follows(alice, bob, carol, dave),
        a_profile(bob, name="Zürich", display_name="Bobby", nip05="bob@x.example"),
        a_profile(carol, name="carol", about="of Zürich, knows Bobby bob@x"),
        a_profile(dave, name="dave"),
        a_profile(FANS[0], name="Zürich Bobby bob@x"),
    )

    asked = ["zürich", "ZÜRICH", "bob@x", " Bobby "]
    for name, q in product(["followers", "following"], asked):
        with subtests.test(name=name, q=q):
            answer = api.get(f"/api/users/{alice.pubkey}/{name}", {"q": q}).json()

            found = {name: [bob.pubkey], "total": 1, "has_more": False, "query": q.strip()}
            assert found == answer


def test_who_unfollows_is_no_follower(api):
    publish(follows(bob, alice, at=0))
    publish(follows(bob, carol, at=10))

    assert [] == api.get(f"/api/users/{alice.pubkey}/followers").json()["followers"]
    assert [bob.pubkey] == api.get(f"/api/users/{carol.pubkey}/followers").json()["followers"]


@pytest.mark.parametrize("wrong", ["limit=0", "limit=9999", "limit=x", "offset=-1", "offset=x"])
@pytest.mark.parametrize("name", ["followers", "following"])
def test_a_malformed_page_is_a_400(api, name, wrong):
    response = api.get(f"/api/users/{alice.pubkey}/{name}?{wrong}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(wrong.partition("=")[0])
