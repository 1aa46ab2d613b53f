"""`GET /api/videos/{id}/likers`: who likes a video."""

from __future__ import annotations

import pytest

from tests.builders import (
    Author,
    T,
    a_deletion,
    a_reaction,
    a_vanish,
    a_video,
    address,
    alice,
    bob,
    carol,
    dave,
    mallory,
)
from tests.published import publish
from tests.videos.lists import assert_complete, get, pages_by_cursor

VIDEO = a_video(alice, "cats")
PATH = "/api/videos/cats/likers"


def people(api, **params):
    return [row["pubkey"] for row in get(api, PATH, **params)["data"]]


def test_a_liker_is_a_person_and_their_latest_reaction(api):
    latest = a_reaction(VIDEO, bob, "🔥", at=9)
    publish(VIDEO, a_reaction(VIDEO, bob, at=3), latest, a_reaction(VIDEO, carol, at=5))

    answer = get(api, PATH)

    assert {"pubkey": bob.pubkey, "created_at": T + 9, "event_id": latest.id} == answer["data"][0]
    assert [bob.pubkey, carol.pubkey] == [row["pubkey"] for row in answer["data"]]
    assert {"has_more": False, "next_cursor": None} == answer["pagination"]


def test_who_votes_against_it_withdraws_or_is_gone_is_none(api):
    withdrawn = a_reaction(VIDEO, carol)
    publish(
        VIDEO,
        a_reaction(VIDEO, bob, "+", at=1),
        a_reaction(VIDEO, bob, "-", at=2),
        *(withdrawn, a_deletion(withdrawn, by=carol)),
        a_reaction(VIDEO, mallory),
        a_vanish(mallory),
        a_reaction(VIDEO, dave, tags=[("expiration", str(T + 9))]),
    )

    assert [] == people(api)


def test_reactions_to_older_versions_and_to_the_address_count(api):
    newer = a_video(alice, "cats", at=10)
    publish(VIDEO, newer, a_reaction(VIDEO, bob), a_reaction(newer, carol, via="a", at=11))

    assert [carol.pubkey, bob.pubkey] == people(api)


def test_an_address_wins_over_the_reference(api):
    publish(VIDEO, a_video(bob, "dogs"), a_reaction(VIDEO, bob))

    assert [bob.pubkey] == [
        row["pubkey"] for row in get(api, "/api/videos/dogs/likers", a=address(VIDEO))["data"]
    ]


@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12), (3, 500)])
def test_pages_are_full_and_lose_nothing(api, rows, limit):
    crowd = [Author(f"liker {n}") for n in range(rows)]
    publish(VIDEO, *(a_reaction(VIDEO, by, at=1 + n // 5) for n, by in enumerate(crowd)))

    pages = list(pages_by_cursor(api, PATH, limit=limit))

    assert_complete(pages, rows=rows, limit=limit, name="pubkey")


def test_a_new_liker_does_not_shift_the_next_page(api):
    publish(VIDEO, *(a_reaction(VIDEO, by, at=5) for by in (bob, carol, dave)))
    first = get(api, PATH, limit=2)
    publish(a_reaction(VIDEO, mallory, at=9))

    second = get(api, PATH, limit=2, cursor=first["pagination"]["next_cursor"])

    shown = [row["pubkey"] for row in (*first["data"], *second["data"])]
    assert sorted(by.pubkey for by in (bob, carol, dave)) == shown


@pytest.mark.parametrize("query", ["limit=501", "limit=0", "cursor=x", "a=nevent1x"])
def test_a_malformed_parameter_is_a_400(api, query):
    publish(VIDEO)

    assert 400 == api.get(f"{PATH}?{query}").status_code
