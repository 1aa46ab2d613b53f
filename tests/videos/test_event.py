"""`GET /api/event/{id}`: any event as it was signed, unless it is not ours to show."""

from __future__ import annotations

import nostr_sdk
import pytest

from funnel.nostr import Kind
from tests.builders import (
    A_DAY,
    T,
    a_comment,
    a_deletion,
    a_note,
    a_vanish,
    a_video,
    alice,
    an_event,
    as_json,
    bob,
    follows,
    mallory,
)
from tests.published import NOW, publish
from tests.videos.lists import get


def status(api, event):
    return api.get(f"/api/event/{event.id}").status_code


def test_an_event_is_as_it_was_signed_whatever_its_kind(api):
    video = a_video(alice, "cats", tags=[("x",), ("y", "", "z")])
    events = [video, a_comment(video, bob), a_note(bob, "ü 猫"), follows(bob, alice)]
    publish(*events)

    assert [as_json(event) for event in events] == [
        get(api, f"/api/event/{event.id}") for event in events
    ]
    event_id = nostr_sdk.EventId.parse(video.id)
    for name in (event_id.to_bech32(), nostr_sdk.Nip19Event(event_id).to_bech32()):
        assert video.id == get(api, f"/api/event/{name}")["id"]


def test_a_deleted_expired_future_vanished_protected_or_private_event_is_not_shown(api):
    deleted, by_address = a_note(bob, "deleted"), a_video(alice, "cats")
    hidden = [
        deleted,
        by_address,
        a_note(bob, "expired", tags=[("expiration", str(T + 9))]),
        a_note(bob, "future", at=NOW - T + A_DAY),
        a_note(mallory, "vanished"),
        a_note(bob, "protected", tags=[("-",)]),
        an_event(Kind.DIRECT_MESSAGE, bob, content="private"),
    ]
    publish(
        *hidden,
        a_deletion(deleted, by=bob),
        a_deletion(by_address, by=alice, via="a"),
        a_vanish(mallory),
    )

    assert [404] * len(hidden) == [status(api, event) for event in hidden]


def test_somebody_elses_deletion_has_no_effect_nor_has_one_of_a_deletion(api):
    note = a_note(bob)
    deletion = a_deletion(note, by=alice)
    publish(note, deletion, a_deletion(deletion, by=alice, at=9))

    assert [200, 200] == [status(api, note), status(api, deletion)]


def test_an_address_deleted_earlier_may_be_used_again(api):
    first, second = a_video(alice, "cats", at=0), a_video(alice, "cats", at=10)
    publish(first, a_deletion(first, by=alice, via="a", at=5), second)

    assert [404, 200] == [status(api, first), status(api, second)]


@pytest.mark.parametrize("name", ["cats", "ab", "nsec1" + "q" * 58, f"34236:{'ab' * 32}:cats"])
def test_what_is_no_event_id_is_a_400(api, name):
    assert 400 == api.get(f"/api/event/{name}").status_code


def test_an_unknown_event_is_a_404(api):
    response = api.get(f"/api/event/{'ab' * 32}")

    assert 404 == response.status_code
    assert {"error": "Event not found"} == response.json()
