"""Deletions (NIP-09), expirations (NIP-40) and requests to vanish (NIP-62)."""

from __future__ import annotations

import pytest

from funnel.clickhouse import Clickhouse, connections
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from tests.builders import (
    Author,
    T,
    a_comment,
    a_deletion,
    a_reaction,
    a_repost,
    a_vanish,
    a_video,
    address,
    alice,
    an_event,
    as_json,
    bob,
    carol,
    dave,
    key,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import fields, recent, row

PAST = ("expiration", str(T + 10))

STORED = parse_query(
    "tests.stored",
    """-- Whether an event is in the store.
    SELECT count() > 0 AS stored
    FROM events_local
    WHERE id = {event_id:String}
    """,
)


def stored(event: Event) -> bool:
    [found] = connections["reader"].select(STORED, {"event_id": event.id})
    return bool(found["stored"])


def test_a_deleted_or_expired_newest_version_brings_no_older_one_back(api):
    older = [a_video(alice, d, title="older") for d in ("deleted", "expired", "kept")]
    deleted = a_video(alice, "deleted", title="newer", at=5)
    expired = a_video(alice, "expired", title="newer", at=5, tags=[PAST])
    kept = a_video(alice, "kept", title="newer", at=5)
    publish(*older, deleted, expired, kept, a_deletion(deleted, at=6), a_deletion(older[2], at=6))

    assert [address(kept)] == recent(api)
    assert {"total_videos": 1}.items() <= api.get("/api/stats").json().items()
    statuses = [api.get(f"/api/videos/{version.id}/stats").status_code for version in older]
    assert [404, 404, 200] == statuses


def test_an_address_that_is_used_again_has_its_engagement_back(api):
    first = a_video(alice, "v1")
    again = a_video(alice, "v1", title="again", at=20)
    publish(
        first,
        a_reaction(first, bob),
        a_comment(first, bob, via="a"),
        a_repost(first, carol, via="e"),
        a_deletion(first, via="a", at=10),
        again,
    )

    expected = {"title": "again", "reactions": 1, "comments": 1, "reposts": 1, "published_at": T}
    assert expected == fields(api, again, *expected)


def test_a_deletion_does_not_expire(api):
    video, like = a_video(alice, "v1"), a_video(alice, "v2")
    reaction = a_reaction(like, bob)
    publish(
        *(video, like, reaction),
        a_deletion(video, tags=[PAST]),
        a_deletion(reaction, by=bob, tags=[PAST]),
    )

    assert [address(like)] == recent(api)
    assert {"reactions": 0} == fields(api, like, "reactions")


def test_a_request_to_vanish_does_not_expire(api):
    video = a_video(alice, "v1")
    publish(video, an_event(Kind.VANISH, alice, tags=[("relay", "ALL_RELAYS"), PAST], at=5))

    assert [] == recent(api)
    assert not stored(video)


@pytest.mark.parametrize("known_by", ["the writer", "the projector"])
def test_a_request_counts_by_the_place_of_the_relay_that_it_names(
    api, clickhouse: Clickhouse, known_by: str
):
    here = ["wss://relay.example.com", "WSS://Relay.Example.COM//", "https://funnel.example.com/"]
    elsewhere = [
        "wss://relay.example.org",
        "wss://relay.example.com/inbox",
        "wss://relay.example.com:7777",
        "all_relays",
        "",
    ]
    videos = {
        relay: a_video(Author(f"vanishing from {relay}"), relay) for relay in [*here, *elsewhere]
    }
    # The writer leaves a request from the future to the projector.
    at = 5 if known_by == "the writer" else NOW - T + 2_000
    requests = [a_vanish(Author(f"vanishing from {relay}"), relay, at=at) for relay in videos]
    delivery = Delivery(clickhouse, now=NOW)
    delivery.deliver([[as_json(event) for event in (*videos.values(), *requests)]])

    delivery.now = NOW + 3_000
    delivery.project()

    left = [relay for relay, video in videos.items() if stored(video)]
    assert elsewhere == left
    assert len(elsewhere) == len(recent(api))


def test_an_expired_act_is_not_counted_and_an_expired_video_not_shown(api):
    video, gone = a_video(alice, "v1"), a_video(alice, "gone", tags=[PAST])
    now = ("expiration", str(NOW))
    publish(
        *(video, gone),
        a_reaction(video, bob, tags=[PAST]),
        a_reaction(video, carol, tags=[now]),
        a_reaction(video, dave, tags=[("expiration", str(NOW + 1))]),
        a_comment(video, bob, tags=[now]),
        a_repost(video, bob, tags=[("expiration", "soon"), now]),
    )

    assert [key(video)] == recent(api)
    expected = {"reactions": 1, "comments": 0, "reposts": 1}
    assert expected == {name: row(api, video)[name] for name in expected}


@pytest.mark.parametrize("hint", [(), ("wss://inbox.example.com",)])
def test_a_gift_wrap_goes_with_the_person_whom_it_is_for(clickhouse: Clickhouse, hint):
    # They are signed by throw-away keys.
    wrap = an_event(Kind.GIFT_WRAP, carol, tags=[("p", bob.pubkey, *hint)], at=50)
    later = an_event(Kind.GIFT_WRAP, carol, tags=[("p", bob.pubkey, *hint)], at=51)
    for_dave = an_event(Kind.GIFT_WRAP, carol, tags=[("p", dave.pubkey, *hint)], at=50)

    publish(wrap, later, for_dave, a_vanish(bob, at=50))

    assert [False, True, True] == [stored(event) for event in (wrap, later, for_dave)]


def test_a_gift_wrap_that_comes_after_the_request_stays_out(clickhouse: Clickhouse):
    wrap = an_event(Kind.GIFT_WRAP, carol, tags=[("p", bob.pubkey)], at=1)

    Delivery(clickhouse, now=NOW).deliver([[as_json(a_vanish(bob, at=50))], [as_json(wrap)]])

    assert not stored(wrap)
