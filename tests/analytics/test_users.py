"""`GET /api/users/{pubkey}`: one person, and what all that person's videos got."""

from __future__ import annotations

import pytest

from analytics.serializers import FollowCounts, OwnCounts, OwnEngagement, Profile, User
from tests.builders import (
    T,
    a_comment,
    a_deletion,
    a_profile,
    a_reaction,
    a_vanish,
    a_video,
    a_view,
    alice,
    an_event,
    bob,
    carol,
    dave,
    follows,
)
from tests.published import publish

NESTED = {
    "profile": Profile,
    "social": FollowCounts,
    "stats": OwnCounts,
    "engagement": OwnEngagement,
}
NOTHING = {
    "profile": None,
    "social": {"follower_count": 0, "following_count": 0},
    "stats": {"video_count": 0, "reaction_count": 0},
    "engagement": {
        "total_reactions": 0,
        "total_loops": 0.0,
        "total_views": 0,
        "archived_loops": 0,
    },
    "has_vanish_request": False,
}


def test_an_unknown_pubkey_is_answered_with_zeros(api):
    response = api.get(f"/api/users/{'ab' * 32}")

    assert 200 == response.status_code
    assert {"pubkey": "ab" * 32, **NOTHING} == response.json()
    assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_a_person_has_profile_follows_and_what_the_videos_got(api):
    first, second = a_video(alice, "a"), a_video(alice, "b", tags=[("loops", "1000")])
    publish(
        a_profile(
            alice,
            name="alice",
            display_name="Alice",
            about="cats",
            picture="https://x.example/a.jpg",
            banner="https://x.example/b.jpg",
            nip05="alice@x.example",
            lud16="alice@pay.example",
            website="https://x.example",
        ),
        first,
        second,
        a_reaction(first, bob),
        a_reaction(second, bob),
        a_reaction(second, carol),
        a_reaction(first, alice),
        a_comment(first, bob),
        a_view(first, bob, loops="1.5"),
        a_view(second, bob, loops="0.25"),
        follows(bob, alice),
        follows(carol, alice, bob),
        follows(alice, dave),
    )

    user = api.get(f"/api/users/{alice.pubkey}").json()

    assert {
        "pubkey": alice.pubkey,
        "profile": {
            "name": "alice",
            "display_name": "Alice",
            "picture": "https://x.example/a.jpg",
            "banner": "https://x.example/b.jpg",
            "about": "cats",
            "nip05": "alice@x.example",
            "lud16": "alice@pay.example",
            "website": "https://x.example",
            "profile_updated": "2023-11-14T22:13:20Z",
        },
        "social": {"follower_count": 2, "following_count": 1},
        "stats": {"video_count": 2, "reaction_count": 1},
        "engagement": {
            "total_reactions": 4,
            "total_loops": 1.75,
            "total_views": 2,
            "archived_loops": 1000,
        },
        "has_vanish_request": False,
    } == user
    assert list(User().fields) == list(user)
    for name, schema in NESTED.items():
        assert list(schema().fields) == list(user[name])


def test_only_live_videos_count(api):
    deleted = a_video(alice, "a")
    publish(
        deleted,
        a_reaction(deleted, bob),
        a_deletion(deleted, by=alice),
        a_video(alice, "b", tags=[("expiration", str(T + 10))]),
    )

    user = api.get(f"/api/users/{alice.pubkey}").json()

    assert {"video_count": 0, "reaction_count": 0} == user["stats"]
    assert 0 == user["engagement"]["total_reactions"]


def test_the_latest_profile_and_follow_list_count(api):
    publish(
        a_profile(alice, name="old", at=0),
        a_profile(alice, name="new", at=10),
        follows(alice, bob, carol, at=0),
        follows(alice, bob, at=10),
    )

    user = api.get(f"/api/users/{alice.pubkey}").json()

    assert ["new", ""] == [user["profile"]["name"], user["profile"]["display_name"]]
    assert 1 == user["social"]["following_count"]
    assert 0 == api.get(f"/api/users/{carol.pubkey}").json()["social"]["follower_count"]


def test_a_profile_that_was_deleted_is_null(api):
    profile = a_profile(alice, name="alice")
    publish(profile, a_deletion(profile, by=alice))

    assert api.get(f"/api/users/{alice.pubkey}").json()["profile"] is None


@pytest.mark.parametrize("content", ["", "[]", "no json", '{"name": 7}', '{"name":"\\ud800"}'])
def test_a_profile_that_says_nothing_is_empty_and_not_null(api, content):
    publish(an_event(0, alice, content=content))

    profile = api.get(f"/api/users/{alice.pubkey}").json()["profile"]

    assert "" == profile["display_name"]
    assert all(isinstance(value, str) for value in profile.values())


def test_who_has_vanished_is_nobody_and_says_so(api):
    publish(a_profile(bob, name="bob"), a_video(bob), follows(bob, alice), a_vanish(bob))

    user = api.get(f"/api/users/{bob.pubkey}").json()

    assert {"pubkey": bob.pubkey, **NOTHING, "has_vanish_request": True} == user
    assert 0 == api.get(f"/api/users/{alice.pubkey}").json()["social"]["follower_count"]


@pytest.mark.parametrize("pubkey", ["alice", "ab", "AB" * 32, "npub1abc", "nsec1" + "q" * 58])
@pytest.mark.parametrize("below", ["", "/social", "/followers", "/following"])
def test_a_malformed_pubkey_is_a_400_that_does_not_repeat_it(api, clickhouse, pubkey, below):
    response = api.get(f"/api/users/{pubkey}{below}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith("pubkey: ")
    assert "nsec1q" not in response.json()["error"]
