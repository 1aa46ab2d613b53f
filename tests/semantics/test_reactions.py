"""Reactions (NIP-25): which video they are about, and what they say."""

from __future__ import annotations

import pytest

from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from tests.builders import (
    a_note,
    a_reaction,
    a_video,
    address,
    alice,
    an_event,
    as_json,
    bob,
    carol,
    dave,
    mallory,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import claims, each, fields

VIDEO = a_video(alice, "v1")
OTHER = a_video(alice, "v2")
UNKNOWN_ID = "ab" * 32
CAT = "https://emoji.example/cat.png"
OTHER_CAT = "https://emoji.example/other-cat.png"


def a_like_tagged(*tags: tuple[str, ...], by=bob) -> Event:
    return an_event(Kind.REACTION, by, content="+", tags=tags, at=1)


def raws(*events: Event) -> list[object]:
    return [as_json(event) for event in events]


def test_an_unknown_id_that_turns_out_to_be_a_video_takes_the_reaction_there(
    api, clickhouse: Clickhouse
):
    reaction = a_like_tagged(("e", OTHER.id), ("a", address(VIDEO)))
    delivery = Delivery(clickhouse, now=NOW)

    delivery.deliver([raws(VIDEO, reaction)])
    before = each(api, [VIDEO], "likes")
    delivery.deliver([raws(OTHER)])

    assert [1] == before
    assert [0, 1] == each(api, [VIDEO, OTHER], "likes")


def test_an_unknown_id_that_turns_out_to_be_no_video_takes_the_reaction_away(
    api, clickhouse: Clickhouse
):
    note = a_note(carol)
    reaction = a_like_tagged(("e", note.id), ("a", address(VIDEO)))
    delivery = Delivery(clickhouse, now=NOW)

    delivery.deliver([raws(VIDEO, reaction)])
    before = each(api, [VIDEO], "likes")
    delivery.deliver([raws(note)])

    assert [1] == before
    assert [0] == each(api, [VIDEO], "likes")


@pytest.mark.parametrize("known", ["first", "last", "at once"])
def test_a_known_id_decides_alone_whenever_it_comes(api, clickhouse: Clickhouse, known: str):
    later = a_video(alice, "v2", title="later", at=5)
    reactions = raws(
        a_like_tagged(("e", later.id), ("a", address(VIDEO)), ("k", "1")),
        a_reaction(later, carol),
    )
    batches = {
        "first": [raws(later, VIDEO), reactions],
        "last": [reactions, raws(VIDEO), raws(later)],
        "at once": [[*reactions, *raws(VIDEO, later)]],
    }

    Delivery(clickhouse, now=NOW).deliver(batches[known])

    assert [0, 2] == each(api, [VIDEO, later], "likes")


def test_an_address_counts_unless_the_first_k_tag_names_another_kind(api):
    here = ("a", address(VIDEO))
    publish(
        VIDEO,
        a_like_tagged(here, by=bob),
        a_like_tagged(here, ("k", "34236"), by=carol),
        a_like_tagged(here, ("k", ""), ("k", "1"), by=dave),
        a_like_tagged(("e", UNKNOWN_ID), here, by=mallory),
        a_like_tagged(here, ("k", "34235"), by=alice),
        a_like_tagged(("e", UNKNOWN_ID), here, ("k", "1"), ("k", "34236"), by=alice),
    )

    assert {"reactions": 4} == fields(api, VIDEO, "reactions")


def test_the_last_valid_video_address_is_the_target(api):
    publish(
        VIDEO,
        OTHER,
        a_like_tagged(
            ("a", address(OTHER)),
            ("a", address(VIDEO)),
            ("a", f"30023:{alice.pubkey}:v2"),
            ("a", f"34236:{alice.pubkey[:-1]}:v2"),
            ("a",),
        ),
    )

    assert [1, 0] == each(api, [VIDEO, OTHER], "likes")


def test_the_variation_selector_makes_no_other_emoji_and_no_other_vote(api):
    publish(
        VIDEO,
        a_reaction(VIDEO, bob, "❤"),
        a_reaction(VIDEO, carol, "❤\ufe0f"),
        a_reaction(VIDEO, dave, "-\ufe0f"),
        a_reaction(VIDEO, mallory, "\ufe0f"),
    )

    expected = {"emojis": {"❤": 2}, "likes": 1, "dislikes": 1, "reactions": 4}
    assert expected == fields(api, VIDEO, *expected)


def test_a_custom_emoji_is_known_by_its_picture(api):
    publish(
        VIDEO,
        a_reaction(VIDEO, bob, ":cat:", tags=[("emoji", "cat", CAT)]),
        a_reaction(
            VIDEO, carol, ":cat:", tags=[("emoji", "dog", OTHER_CAT), ("emoji", "cat", CAT)]
        ),
        a_reaction(VIDEO, dave, ":cat:", tags=[("emoji", "cat", OTHER_CAT)]),
    )

    assert {(":cat:", CAT, 2), (":cat:", OTHER_CAT, 1)} == claims(VIDEO, "emoji_images")
    assert {"likes": 0, "dislikes": 0, "reactions": 3} == fields(
        api, VIDEO, "likes", "dislikes", "reactions"
    )


def test_a_shortcode_with_several_pictures_counts_its_people_once(api):
    publish(
        VIDEO,
        a_reaction(VIDEO, bob, ":cat:", tags=[("emoji", "cat", CAT)]),
        a_reaction(VIDEO, bob, ":cat:", tags=[("emoji", "cat", OTHER_CAT)], at=2),
        a_reaction(VIDEO, carol, ":cat:", tags=[("emoji", "cat", OTHER_CAT)]),
        a_reaction(VIDEO, dave, ":cat:", tags=[("emoji", "cat", CAT)]),
    )

    assert {"emojis": {":cat:": 3}} == fields(api, VIDEO, "emojis")


def test_text_that_is_neither_vote_nor_emoji_is_a_reaction_without_a_class(api):
    texts = ["nice", "+1", " +", "1", ":cat:", ":no cat:", "🔥" * 17, "🔥!"]
    publish(VIDEO, *(a_reaction(VIDEO, bob, text, at=at) for at, text in enumerate(texts)))

    expected = {"reactions": 1, "likes": 0, "dislikes": 0, "emojis": {}}
    assert expected == fields(api, VIDEO, *expected)


def test_an_emoji_is_up_to_sixteen_code_points(api):
    emojis = ["🔥" * 16, "1\ufe0f\u20e3", "👩‍👩‍👧", "🏴\U000e0067\U000e007f"]
    publish(VIDEO, *(a_reaction(VIDEO, bob, emoji, at=at) for at, emoji in enumerate(emojis)))

    expected = dict.fromkeys((emoji.replace("\ufe0f", "") for emoji in emojis), 1)
    assert {"emojis": expected, "reactions": 1} == fields(api, VIDEO, "emojis", "reactions")
