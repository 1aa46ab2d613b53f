"""The demo's community: repeatable, really signed, and of every kind that the service knows."""

from __future__ import annotations

import json
from collections import Counter

import nostr_sdk
import pytest

from funnel.nostr import VIDEO_KINDS, Kind
from ingestion.demo.generator import DAY_SECONDS, OPENING_DAYS, EventGenerator

NOW = 1_795_000_000


@pytest.fixture(scope="module")
def opening() -> list[nostr_sdk.Event]:
    return EventGenerator(seed="tests").opening(NOW)


@pytest.fixture(scope="module")
def present() -> list[nostr_sdk.Event]:
    generator = EventGenerator(seed="tests")
    generator.opening(NOW)
    return [generator.next_event(NOW + second // 8) for second in range(800)]


def kinds(events: list[nostr_sdk.Event]) -> Counter[int]:
    return Counter(event.kind().as_u16() for event in events)


def tags_of(event: nostr_sdk.Event) -> list[list[str]]:
    return [tag.to_vec() for tag in event.tags()]


def tag_names(event: nostr_sdk.Event) -> set[str]:
    return {tag[0] for tag in tags_of(event)}


def of_kind(events: list[nostr_sdk.Event], kind: Kind) -> list[nostr_sdk.Event]:
    return [event for event in events if event.kind().as_u16() == kind]


def test_the_same_seed_gives_the_same_events_byte_for_byte(opening, present):
    generator = EventGenerator(seed="tests")

    again = generator.opening(NOW)
    later = [generator.next_event(NOW + second // 8) for second in range(800)]

    assert [event.as_json() for event in opening] == [event.as_json() for event in again]
    assert [event.as_json() for event in present] == [event.as_json() for event in later]


def test_another_seed_gives_other_events_of_the_same_people(opening):
    other = EventGenerator(seed="another").opening(NOW)

    assert {event.author().to_hex() for event in opening} == {
        event.author().to_hex() for event in other
    }
    videos = {event.id().to_hex() for event in of_kind(opening, Kind.SHORT_VIDEO)}
    assert videos.isdisjoint(event.id().to_hex() for event in other)


def test_every_event_has_a_right_id_and_signature(opening, present):
    forged = [event.id().to_hex() for event in opening + present if not event.verify()]

    assert [] == forged


def test_the_opening_covers_the_past_days_in_order_and_nothing_to_come(opening):
    times = [event.created_at().as_secs() for event in opening]

    assert sorted(times) == times
    assert NOW - OPENING_DAYS * DAY_SECONDS == times[0]
    assert NOW - DAY_SECONDS / 2 < times[-1] < NOW


def test_the_opening_holds_every_kind_that_a_relay_keeps(opening):
    counted = kinds(opening)

    expected = {*VIDEO_KINDS, Kind.PROFILE, Kind.NOTE, Kind.FOLLOWS, Kind.DELETION, Kind.REPOST}
    expected |= {Kind.REACTION, Kind.GENERIC_REPOST, Kind.COMMENT}
    assert {int(kind) for kind in expected} == set(counted)
    assert 300 < counted.total() < 1000


def test_view_events_belong_to_the_present(present):
    views = of_kind(present, Kind.VIEW)

    assert len(views) > 100
    assert all({"e", "viewed", "source", "client"} <= tag_names(view) for view in views)


def test_videos_carry_their_media_in_both_encodings_of_imeta(opening):
    encodings: Counter[str] = Counter()

    for kind in VIDEO_KINDS:
        for event in of_kind(opening, kind):
            (imeta,) = [tag for tag in tags_of(event) if tag[0] == "imeta"]
            encodings["flat" if imeta[1] == "url" else "pairs"] += 1

    assert {"flat", "pairs"} == set(encodings)


def test_some_addresses_have_several_versions(opening):
    addresses = Counter(
        (event.author().to_hex(), tag[1])
        for event in of_kind(opening, Kind.ADDRESSABLE_SHORT_VIDEO)
        for tag in tags_of(event)
        if tag[0] == "d"
    )

    assert max(addresses.values()) > 1


def test_reactions_name_their_video_by_e_by_a_and_by_both(opening):
    reactions = of_kind(opening, Kind.REACTION)

    ways = {frozenset(tag_names(reaction) & {"e", "a"}) for reaction in reactions}
    contents = {reaction.content() for reaction in reactions}

    assert {frozenset("e"), frozenset("a"), frozenset("ea")} == ways
    assert {"+", "-", "", "🔥"} <= contents


def test_comments_name_their_root_and_replies_their_parent(opening):
    comments = of_kind(opening, Kind.COMMENT)

    parents = {tag[1] for event in comments for tag in tags_of(event) if tag[0] == "k"}

    assert all(tag_names(event) & {"A", "E"} for event in comments)
    assert str(Kind.COMMENT.value) in parents


def test_a_repost_without_an_address_carries_the_event(opening):
    reposts = of_kind(opening, Kind.GENERIC_REPOST) + of_kind(opening, Kind.REPOST)

    by_address = [event for event in reposts if "a" in tag_names(event)]
    by_event = [event for event in reposts if "e" in tag_names(event)]

    assert by_address
    assert all(event.content() == "" for event in by_address)
    assert by_event
    for event in by_event:
        (target,) = [tag[1] for tag in tags_of(event) if tag[0] == "e"]
        assert target == json.loads(event.content())["id"]


def test_everybody_deletes_only_their_own(opening, present):
    events = opening + present
    authors = {event.id().to_hex(): event.author().to_hex() for event in events}
    deletions = of_kind(events, Kind.DELETION)

    forms = Counter(tag[0] for event in deletions for tag in tags_of(event) if tag[0] in "ea")

    assert {"e", "a"} == set(forms)
    for event in deletions:
        for tag in tags_of(event):
            if tag[0] == "e":
                assert authors[tag[1]] == event.author().to_hex()
            elif tag[0] == "a":
                assert tag[1].split(":")[1] == event.author().to_hex()
