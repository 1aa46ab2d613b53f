"""`GET /api/creators/top`: people by what all their videos got."""

from __future__ import annotations

from itertools import chain

from analytics.serializers import Creator
from tests.builders import (
    Author,
    a_comment,
    a_deletion,
    a_profile,
    a_reaction,
    a_repost,
    a_video,
    a_view,
    alice,
    bob,
    carol,
)
from tests.published import publish

URL = "/api/creators/top"


def test_nobody_is_an_empty_array(api):
    response = api.get(URL)

    assert 200 == response.status_code
    assert [] == response.json()
    assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_a_creator_has_the_sums_over_live_videos(api):
    first, second, deleted = (a_video(alice, d) for d in "abc")
    publish(
        a_profile(alice, name="alice", nip05="alice@x.example"),
        first,
        second,
        deleted,
        a_video(bob),
        a_deletion(deleted, by=alice),
        *(a_reaction(video, carol) for video in (first, second, deleted)),
        a_comment(first, carol),
        a_repost(second, carol),
        a_view(first, carol, loops="0.5"),
    )

    top, other = api.get(URL).json()

    assert {
        "pubkey": alice.pubkey,
        "name": "alice",
        "display_name": "",
        "picture": "",
        "nip05": "alice@x.example",
        "video_count": 2,
        "engagement_score": 7,
        "reactions": 2,
        "comments": 1,
        "reposts": 1,
        "views": 1,
        "loops": 0.5,
    } == top
    assert list(Creator().fields) == list(top)
    assert [bob.pubkey, "", "", "", None] == [
        other[name] for name in ("pubkey", "name", "display_name", "picture", "nip05")
    ]


def test_every_creator_is_on_one_page(api, subtests):
    crowd = [Author(f"creator {number}") for number in range(7)]
    publish(*(a_video(person) for person in crowd))

    for limit in (1, 2, 3, 7):
        with subtests.test(limit=limit):
            pages = [
                [row["pubkey"] for row in api.get(URL, {"limit": limit, "offset": offset}).json()]
                for offset in range(0, 8, limit)
            ]

            assert sorted(person.pubkey for person in crowd) == list(chain(*pages))
            assert all(len(page) == limit for page in pages[: 7 // limit])
