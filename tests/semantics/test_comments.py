"""Comments (NIP-22, NIP-10), quotes and reposts (NIP-18): which video they are about."""

from __future__ import annotations

import json

from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from tests.builders import (
    a_note,
    a_quote,
    a_repost,
    a_video,
    address,
    alice,
    an_event,
    as_json,
    bob,
    carol,
    dave,
    forged,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import each, fields

VIDEO = a_video(alice, "v1")
EDITED = a_video(alice, "v1", title="edited", at=5)
OTHER = a_video(alice, "v2")
UNKNOWN_ID = "ab" * 32


def a_comment_tagged(*tags: tuple[str, ...]) -> Event:
    return an_event(Kind.COMMENT, bob, content="nice", tags=tags, at=9)


def a_marked_note(*references: tuple[Event, str]) -> Event:
    return a_note(bob, tags=[("e", event.id, "", mark) for event, mark in references])


def test_an_upper_case_e_of_an_old_version_is_a_root(api):
    publish(
        VIDEO,
        EDITED,
        OTHER,
        a_comment_tagged(("E", VIDEO.id)),
        # A comment has one root: the address before the id, the first valid one of each.
        a_comment_tagged(("E", OTHER.id), ("A", "34236:nobody:v2"), ("A", address(VIDEO))),
        a_comment_tagged(("E", "nothing"), ("E", EDITED.id), ("E", OTHER.id)),
        # In lower case it is the parent.
        a_comment_tagged(("e", VIDEO.id), ("a", address(VIDEO))),
    )

    assert [3, 0] == each(api, [EDITED, OTHER], "comments")


def test_a_root_that_comes_after_its_comments_has_them(api, clickhouse: Clickhouse):
    comments = [a_comment_tagged(("E", VIDEO.id)), a_marked_note((VIDEO, "root"))]

    Delivery(clickhouse, now=NOW).deliver(
        [[as_json(comment) for comment in comments], [as_json(EDITED)], [as_json(VIDEO)]]
    )

    assert [2] == each(api, [EDITED], "comments")


def test_a_note_comments_its_root_else_its_reply_else_its_first_unmarked_id(api):
    publish(
        VIDEO,
        OTHER,
        a_marked_note((OTHER, ""), (OTHER, "reply"), (VIDEO, "root")),
        a_marked_note((OTHER, ""), (VIDEO, "reply")),
        a_marked_note((OTHER, "mention"), (VIDEO, ""), (OTHER, "")),
        a_marked_note((VIDEO, "a mark of their own")),
        # A root that is no video: the reply is not asked.
        a_note(carol, tags=[("e", UNKNOWN_ID, "", "root"), ("e", OTHER.id, "", "reply")]),
        a_note(carol, tags=[("a", address(OTHER), "", "root")]),
    )

    assert [4, 0] == each(api, [VIDEO, OTHER], "comments")


def test_a_mention_is_no_comment(api):
    publish(VIDEO, a_marked_note((VIDEO, "mention")))

    assert {"comments": 0, "quotes": 0} == fields(api, VIDEO, "comments", "quotes")


def test_quotes_are_people_and_are_no_comments(api):
    publish(
        VIDEO,
        EDITED,
        OTHER,
        a_quote(VIDEO, bob),
        a_quote(EDITED, bob, via="a", at=2),
        a_quote(VIDEO, carol, kind=Kind.COMMENT),
        a_note(dave, tags=[("q", VIDEO.id), ("q", address(OTHER)), ("q", "nothing")]),
    )

    assert {"quotes": 3, "comments": 0} == fields(api, EDITED, "quotes", "comments")
    assert [1] == each(api, [OTHER], "quotes")


def test_a_repost_that_embeds_a_protected_event_is_none(api):
    protected = a_video(alice, "protected", tags=[("-",)])
    lookalike = json.dumps(as_json(forged(protected)))
    publish(
        protected,
        a_repost(protected, bob, embedded=True),
        a_repost(protected, bob, kind=Kind.REPOST, via="e", embedded=True, at=2),
        # It names the event and embeds nothing, or nothing genuine.
        a_repost(protected, carol),
        an_event(Kind.REPOST, dave, content=lookalike, tags=[("a", address(protected))], at=3),
    )

    assert {"reposts": 2} == fields(api, protected, "reposts")


def test_a_repost_counts_for_the_video_that_it_names(api):
    publish(
        VIDEO,
        EDITED,
        OTHER,
        a_repost(VIDEO, bob, via="e", embedded=True),
        a_repost(VIDEO, carol, kind=Kind.REPOST, via="e"),
        an_event(
            Kind.GENERIC_REPOST,
            dave,
            tags=[("a", address(OTHER)), ("e", OTHER.id), ("a", address(VIDEO))],
            at=1,
        ),
    )

    assert [3, 0] == each(api, [EDITED, OTHER], "reposts")
