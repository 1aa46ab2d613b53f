"""Nostr's own rules: what is an event, what is an address, what may be typed for either."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import nostr_sdk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.nostr import (
    Address,
    InvalidEvent,
    InvalidReference,
    Kind,
    address_of,
    decode_event_reference,
    decode_pubkey,
    event_id,
    has_valid_embedded_event,
    parse_address,
    parse_event,
    verified_event,
    verify_signature,
)
from tests.builders import (
    T,
    a_note,
    a_repost,
    a_video,
    a_zap,
    a_zap_request,
    alice,
    an_event,
    as_json,
    bob,
    forged,
)

# --- Validity (NIP-01) ----------------------------------------------------------------------------


def test_a_signed_event_is_read_as_it_is():
    note = a_note(alice, "hello")

    assert note == verified_event(as_json(note))


@pytest.mark.parametrize(
    "content", ["", "\x00", "\x01\x1f\x7f", '"\\/\b\f\n\r\t', "猫 😀", "\u2028\u2029\ufeff", "é"]
)
def test_the_id_is_that_of_nostr_sdk_whatever_the_content(content):
    keys = nostr_sdk.Keys.generate()
    event = (
        nostr_sdk.EventBuilder(nostr_sdk.Kind(1), content)
        .tags([nostr_sdk.Tag.parse(["t", content])])
        .finalize(keys)
    )

    raw = json.loads(event.as_json())

    assert event.id().to_hex() == event_id(
        raw["pubkey"], raw["created_at"], raw["kind"], raw["tags"], raw["content"]
    )
    assert verify_signature(parse_event(raw))


NOTE = as_json(a_note(alice, "hello", tags=[["t", "x"]]))


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("bad_id", {"id": NOTE["id"].upper()}),
        ("bad_id", {"id": NOTE["id"][:-1]}),
        ("bad_id", {"id": NOTE["id"] + "\n"}),
        ("bad_id", {"id": None}),
        ("bad_id", {"id": 7}),
        ("bad_pubkey", {"pubkey": NOTE["pubkey"].upper()}),
        ("bad_pubkey", {"pubkey": "npub1xyz"}),
        ("bad_sig", {"sig": NOTE["sig"].upper()}),
        ("bad_sig", {"sig": ""}),
        ("bad_created_at", {"created_at": -1}),
        ("bad_created_at", {"created_at": 2**32}),
        ("bad_created_at", {"created_at": 1_700_000_000_000}),
        ("bad_created_at", {"created_at": float(T)}),
        ("bad_created_at", {"created_at": str(T)}),
        ("bad_created_at", {"created_at": True}),
        ("bad_kind", {"kind": True}),
        ("bad_kind", {"kind": 1.0}),
        ("bad_kind", {"kind": 65536}),
        ("bad_kind", {"kind": -1}),
        ("bad_kind", {"kind": "1"}),
        ("bad_tags", {"tags": None}),
        ("bad_tags", {"tags": {}}),
        ("bad_tags", {"tags": [[]]}),
        ("bad_tags", {"tags": ["t"]}),
        ("bad_tags", {"tags": [["t", 1]]}),
        ("bad_tags", {"tags": [["t", None]]}),
        ("bad_content", {"content": None}),
        ("bad_content", {"content": {"text": "x"}}),
        ("bad_encoding", {"content": "\ud800"}),
        ("bad_encoding", {"tags": [["t", "\udc00"]]}),
        ("id_mismatch", {"content": "tampered"}),
        ("id_mismatch", {"created_at": NOTE["created_at"] + 1}),
        ("id_mismatch", {"tags": [["t", "y"]]}),
        ("id_mismatch", {"id": "0" * 64}),
        ("bad_signature", {"sig": "0" * 128}),
        ("bad_signature", {"sig": NOTE["sig"][:-1] + ("0" if NOTE["sig"][-1] != "0" else "1")}),
    ],
)
def test_what_is_wrong_is_named(reason, changes):
    with pytest.raises(InvalidEvent) as caught:
        verified_event(NOTE | changes)

    assert reason == caught.value.reason


@pytest.mark.parametrize("raw", [None, [], "x", 7, True, [NOTE]])
def test_what_is_no_object_is_no_event(raw):
    with pytest.raises(InvalidEvent, match="not_an_object"):
        parse_event(raw)


@pytest.mark.parametrize("name", sorted(NOTE))
def test_no_field_may_be_missing(name):
    with pytest.raises(InvalidEvent, match="missing_field"):
        parse_event({key: value for key, value in NOTE.items() if key != name})


def test_fields_beyond_nip_01_are_ignored():
    assert a_note(alice, "hello", tags=[["t", "x"]]) == verified_event(NOTE | {"ots": "x"})


def test_the_borders_of_created_at_and_kind_are_valid():
    for kind, at in ((0, -T), (65535, 2**32 - 1 - T)):
        event = an_event(kind, at=at)

        assert event == verified_event(as_json(event))


def test_a_pubkey_that_is_no_point_of_the_curve_verifies_nothing():
    event = a_note(alice)._replace(pubkey="f" * 64)

    assert not verify_signature(event)


def test_a_signature_by_somebody_else_is_bad():
    assert not verify_signature(forged(a_note(alice), sig=a_note(bob).sig))


def mutated(raw: dict[str, Any], dice: random.Random) -> str:
    """The event's JSON with one thing changed: a value, a character or a byte."""
    changed = json.loads(json.dumps(raw))
    choice = dice.randrange(6)
    if choice == 0:
        field = dice.choice(sorted(changed))
        values: tuple[object, ...] = (
            None,
            True,
            -1,
            0,
            1.5,
            "",
            "x",
            [],
            {},
            2**32 - 1,
            2**64,
            "\x00",
        )
        changed[field] = dice.choice(values)
    elif choice == 1:
        del changed[dice.choice(sorted(changed))]
    elif choice == 2:
        field = dice.choice(("id", "pubkey", "sig", "content"))
        text = changed[field] or "x"
        at = dice.randrange(len(text))
        changed[field] = text[:at] + dice.choice("0f\x00é😀G") + text[at + 1 :]
    elif choice == 3:
        changed["tags"].insert(
            dice.randrange(len(changed["tags"]) + 1),
            dice.choice(([], [""], ["a", 1], ["e", "x", None], "t", ["x", "\u2028"])),
        )
    text = json.dumps(changed, ensure_ascii=dice.random() < 0.5)
    if choice == 4:
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice('0"\\,}] \n\x00') + text[at + 1 :]
    return text


def agrees_with_nostr_sdk(text: str) -> None:
    try:
        ours: object = verified_event(json.loads(text))
    except (InvalidEvent, ValueError):
        ours = None
    try:
        theirs = nostr_sdk.Event.from_json(text).verify()
    except (nostr_sdk.NostrSdkError, UnicodeEncodeError):
        theirs = False

    assert theirs or ours is None, f"we accept what nostr-sdk rejects: {text!r}"
    if theirs and ours is None:
        raw = json.loads(text)
        hexes = raw["id"] + raw["pubkey"] + raw["sig"]
        # Stricter than nostr-sdk on purpose, and in nothing else.
        assert hexes != hexes.lower() or raw["created_at"] >= 2**32, text


@pytest.mark.timeout(0)
def test_mutated_events_are_judged_as_nostr_sdk_does():
    dice = random.Random(int(os.environ["FUZZ_SEED"]))
    originals = [
        a_note(alice, "hello 猫\n", tags=[["t", "x"], ["e", "0" * 64]]),
        a_video(title='quotes "\\'),
        a_zap(a_video()),
    ]

    for _ in range(int(os.environ.get("FUZZ_MUTATIONS", "3000"))):
        agrees_with_nostr_sdk(mutated(as_json(dice.choice(originals)), dice))


@given(
    st.builds(
        lambda content, tags: an_event(1, alice, content=content, tags=tags),
        st.text(max_size=40),
        st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=3),
    )
)
def test_any_signed_event_is_valid_to_us_and_to_nostr_sdk(event):
    assert event == verified_event(as_json(event))
    agrees_with_nostr_sdk(json.dumps(as_json(event)))


# --- Events within events -------------------------------------------------------------------------


def test_an_embedded_event_counts_when_it_is_rightly_signed():
    video = a_video()

    assert has_valid_embedded_event(a_repost(video, embedded=True))
    assert has_valid_embedded_event(a_repost(a_note(), kind=Kind.REPOST, embedded=True))
    assert has_valid_embedded_event(a_zap(video))


@pytest.mark.parametrize(
    "event",
    [
        a_repost(a_video()),
        a_repost(forged(a_video()), embedded=True),
        an_event(Kind.REPOST, content="[[["),
        an_event(Kind.REPOST, content='"text"'),
        an_event(Kind.ZAP),
        an_event(Kind.ZAP, tags=[["description"]]),
        an_event(Kind.ZAP, tags=[["description", json.dumps(as_json(a_note()))]]),
        a_zap(a_video(), request=forged(a_zap_request(a_video()))),
        an_event(Kind.NOTE, content=json.dumps(as_json(a_video()))),
    ],
)
def test_everything_else_carries_no_event(event):
    assert not has_valid_embedded_event(event)


def test_of_several_descriptions_the_first_one_counts():
    good = json.dumps(as_json(a_zap_request(a_video())))

    assert not has_valid_embedded_event(
        an_event(Kind.ZAP, tags=[["description", "x"], ["description", good]])
    )


# --- Addresses ------------------------------------------------------------------------------------

PUBKEY = alice.pubkey


@pytest.mark.parametrize(
    ("text", "kind", "d_tag"),
    [
        (f"34236:{PUBKEY}:v1", 34236, "v1"),
        (f"34236:{PUBKEY}:", 34236, ""),
        (f"34236:{PUBKEY}:https://vine.co/v/1:2", 34236, "https://vine.co/v/1:2"),
        (f"34236:{PUBKEY}: é\n", 34236, " é\n"),
        (f"10002:{PUBKEY}:", 10002, ""),
        (f"0:{PUBKEY}:", 0, ""),
    ],
)
def test_an_address_is_split_at_its_first_two_colons(text, kind, d_tag):
    address = parse_address(text)

    assert Address(kind, PUBKEY, d_tag) == address
    assert text == str(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "::",
        f"34236:{PUBKEY}",
        f"34236:{PUBKEY.upper()}:v1",
        f"034236:{PUBKEY}:v1",
        f"+34236:{PUBKEY}:v1",
        f"３４２３６:{PUBKEY}:v1",
        f" 34236:{PUBKEY}:v1",
        f"22:{PUBKEY}:v1",
        f"20001:{PUBKEY}:v1",
        f"65536:{PUBKEY}:v1",
        f"999999999999:{PUBKEY}:v1",
        f"10002:{PUBKEY}:v1",
        f"00:{PUBKEY}:",
        f"34236:{PUBKEY[:-1]}:v1",
    ],
)
def test_what_is_not_exactly_an_address_is_none(text):
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("tags", "d_tag"),
    [
        ([], ""),
        ([["d"]], ""),
        ([["d", ""]], ""),
        ([["d"], ["d", "zzz"]], ""),
        ([["d", "a:b"], ["d", "c"]], "a:b"),
        ([["D", "x"]], ""),
    ],
)
def test_the_first_d_tag_makes_the_address(tags, d_tag):
    event = an_event(34236, alice, tags=tags)

    assert Address(34236, PUBKEY, d_tag) == address_of(event)


def test_a_replaceable_event_has_an_address_without_d():
    assert Address(10002, PUBKEY, "") == address_of(an_event(10002, tags=[["d", "x"]]))


def test_other_events_have_no_address():
    assert address_of(a_note()) is None
    assert address_of(an_event(Kind.VIEW, tags=[["d", "x"]])) is None


# --- References (NIP-19) --------------------------------------------------------------------------

AUTHOR = nostr_sdk.PublicKey.parse(PUBKEY)
EVENT_ID = nostr_sdk.EventId.parse(NOTE["id"])
COORDINATE = nostr_sdk.Coordinate(nostr_sdk.Kind(34236), AUTHOR, "é:1")
SECRET = nostr_sdk.Keys.parse("1" * 64).secret_key().to_bech32()


@pytest.mark.parametrize(
    "text",
    [NOTE["id"], EVENT_ID.to_bech32(), nostr_sdk.Nip19Event(EVENT_ID).to_bech32()],
    ids=["hex", "note1", "nevent1"],
)
def test_an_event_may_be_named_by_its_id_in_three_ways(text):
    assert NOTE["id"] == decode_event_reference(text)


@pytest.mark.parametrize(
    "text",
    [f"34236:{PUBKEY}:é:1", nostr_sdk.Nip19Coordinate(COORDINATE, []).to_bech32()],
    ids=["kind:pubkey:d", "naddr1"],
)
def test_an_event_may_be_named_by_its_address_in_two_ways(text):
    assert Address(34236, PUBKEY, "é:1") == decode_event_reference(text)


@pytest.mark.parametrize(
    "text",
    [PUBKEY, AUTHOR.to_bech32(), nostr_sdk.Nip19Profile(AUTHOR, []).to_bech32()],
    ids=["hex", "npub1", "nprofile1"],
)
def test_a_person_may_be_named_in_three_ways(text):
    assert PUBKEY == decode_pubkey(text)


@pytest.mark.parametrize("decode", [decode_event_reference, decode_pubkey])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "note1",
        "npub1",
        NOTE["id"].upper(),
        NOTE["id"] + "\n",
        EVENT_ID.to_bech32()[:-1] + "q",
        "note1" + "q" * 10_000,
        "npub1\x00",
        "npub1é",
        "\ud800",
        SECRET,
        SECRET.upper(),
        "1:2:3",
        f"22:{PUBKEY}:x",
        "'; DROP TABLE events_local; --",
    ],
)
def test_everything_else_is_refused_without_repeating_it(decode, text):
    with pytest.raises(InvalidReference) as caught:
        decode(text)

    assert len(text) < 10 or text not in str(caught.value)


def test_a_person_is_no_event_and_an_event_is_no_person():
    with pytest.raises(InvalidReference):
        decode_event_reference(AUTHOR.to_bech32())
    with pytest.raises(InvalidReference):
        decode_pubkey(EVENT_ID.to_bech32())
