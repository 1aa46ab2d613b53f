"""Profiles (NIP-01 kind 0) and follows (NIP-02): the current one alone counts."""

from __future__ import annotations

from typing import Any

from funnel.clickhouse import Clickhouse, connections
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from tests.builders import (
    Author,
    a_deletion,
    a_profile,
    a_video,
    alice,
    an_event,
    as_json,
    bob,
    carol,
    dave,
    follows,
    mallory,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import fields

PROFILES = parse_query(
    "tests.profiles",
    """-- Live profiles.
    SELECT
        pubkey,
        name,
        display_name,
        about,
        picture
    FROM user_profiles FINAL
    WHERE live AND expiration > {now:UInt32}
    """,
)
FOLLOWING = parse_query(
    "tests.following",
    """-- Who follows whom.
    SELECT
        pubkey,
        entry
    FROM list_entries FINAL
    WHERE kind = 3
    """,
)


def profiles() -> dict[str, dict[str, Any]]:
    found = connections["reader"].select(PROFILES, {"now": NOW})
    return {row["pubkey"]: {name: row[name] for name in row if row[name]} for row in found}


def following(person: Author) -> set[str]:
    rows = connections["reader"].select(FOLLOWING, {})
    return {row["entry"] for row in rows if row["pubkey"] == person.pubkey}


def test_the_newest_profile_is_shown_and_at_the_same_second_the_lowest_id(api):
    candidates = {name: a_profile(alice, name=name, at=5) for name in ("one", "two", "three")}
    name = min(candidates, key=lambda name: candidates[name].id)
    video = a_video(alice)
    publish(video, a_profile(alice, name="older", about="gone"), *candidates.values())

    assert {alice.pubkey: {"pubkey": alice.pubkey, "name": name}} == profiles()
    assert {"author_name": name, "author_avatar": ""} == fields(
        api, video, "author_name", "author_avatar"
    )


def test_a_deleted_or_expired_profile_is_not_replaced_by_an_older_one(api):
    deleted, by_address = a_profile(alice, name="Alice", at=5), a_profile(bob, name="Bob", at=5)
    video = a_video(alice)
    publish(
        video,
        *(a_profile(person, name="older") for person in (alice, bob, carol)),
        *(deleted, by_address),
        a_deletion(deleted, at=6),
        an_event(Kind.DELETION, bob, tags=[("a", f"0:{bob.pubkey}:")], at=5),
        an_event(Kind.PROFILE, carol, content='{"name":"C"}', tags=[("expiration", "9")], at=5),
        a_profile(dave, name="Dave"),
        a_deletion(a_profile(dave, name="Dave"), by=mallory),
    )

    assert {dave.pubkey} == set(profiles())
    assert {"author_name": ""} == fields(api, video, "author_name")


def test_what_older_clients_write_is_read_and_what_is_no_text_is_not(api):
    video = a_video(alice)
    publish(
        video,
        a_profile(alice, name="alice", displayName="Alice"),
        a_profile(bob, name="bob", display_name="Bob", displayName="Bobby"),
        an_event(Kind.PROFILE, carol, content='{"name":7,"about":["a"],"picture":"https://c"}'),
        an_event(Kind.PROFILE, dave, content="no JSON"),
        an_event(Kind.PROFILE, mallory, content='["name","mallory"]'),
    )

    assert {
        alice.pubkey: {"pubkey": alice.pubkey, "name": "alice", "display_name": "Alice"},
        bob.pubkey: {"pubkey": bob.pubkey, "name": "bob", "display_name": "Bob"},
        carol.pubkey: {"pubkey": carol.pubkey, "picture": "https://c"},
        dave.pubkey: {"pubkey": dave.pubkey},
        mallory.pubkey: {"pubkey": mallory.pubkey},
    } == profiles()
    assert {"author_name": "Alice"} == fields(api, video, "author_name")


def test_follows_are_the_entries_of_the_current_list_whichever_comes_first(
    clickhouse: Clickhouse,
):
    delivery = Delivery(clickhouse, now=NOW)
    invalid = an_event(
        Kind.FOLLOWS, dave, tags=[("p", alice.pubkey), ("p", "nobody"), ("e", "ab" * 32)]
    )
    batches: list[list[Event]] = [
        [follows(bob, alice, carol, at=1), follows(carol, alice, at=2), invalid],
        [follows(bob, alice, dave, at=2), follows(carol, alice, dave, at=1)],
    ]

    delivery.deliver([[as_json(event) for event in batch] for batch in batches])

    assert {alice.pubkey, dave.pubkey} == following(bob)
    assert {alice.pubkey} == following(carol)
    assert {alice.pubkey} == following(dave)


def test_a_deleted_list_follows_nobody(clickhouse: Clickhouse):
    by_id, kept = follows(bob, alice, at=1), follows(dave, alice, at=3)
    delivery = Delivery(clickhouse, now=NOW)
    deletions = [
        a_deletion(by_id, by=bob),
        an_event(Kind.DELETION, carol, tags=[("a", f"3:{carol.pubkey}:")], at=2),
        an_event(Kind.DELETION, dave, tags=[("a", f"3:{dave.pubkey}:")], at=2),
    ]
    lists = [follows(bob, carol), by_id, follows(carol, alice), kept]

    delivery.deliver([[as_json(event) for event in batch] for batch in (lists, deletions)])

    assert [set(), set(), {alice.pubkey}] == [following(each) for each in (bob, carol, dave)]
