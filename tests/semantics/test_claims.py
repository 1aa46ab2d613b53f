"""Bookmarks (NIP-51), reports (NIP-56) and labels (NIP-32): what people say about a video."""

from __future__ import annotations

from funnel.clickhouse import Clickhouse, connections
from funnel.nostr import Event, Kind
from tests.builders import (
    Author,
    a_deletion,
    a_label,
    a_report,
    a_video,
    address,
    alice,
    an_event,
    as_json,
    bob,
    bookmarks,
    carol,
    dave,
    mallory,
)
from tests.delivery import Delivery
from tests.published import NOW, publish
from tests.semantics.asked import claims, each, recent, row

VIDEO = a_video(alice, "v1")
EDITED = a_video(alice, "v1", title="edited", at=5)
OTHER = a_video(alice, "v2")


def a_report_tagged(*tags: tuple[str, ...], by: Author = mallory) -> Event:
    return an_event(Kind.REPORT, by, tags=tags, at=1)


def test_a_bookmark_is_gone_with_the_next_list_in_either_order(api, clickhouse: Clickhouse):
    delivery = Delivery(clickhouse, now=NOW)
    lists = [
        bookmarks(bob, VIDEO, OTHER, at=1),
        bookmarks(bob, OTHER, at=2),
        bookmarks(carol, OTHER, at=2),
        bookmarks(carol, VIDEO, OTHER, at=1),
    ]

    delivery.deliver([[as_json(VIDEO), as_json(OTHER)], *([as_json(event)] for event in lists)])

    assert [0, 2] == each(api, [VIDEO, OTHER], "bookmarks")


def test_bookmarks_are_people_on_any_list_by_any_name_of_the_video(api):
    publish(
        VIDEO,
        EDITED,
        bookmarks(bob, VIDEO, via="e"),
        bookmarks(bob, VIDEO, kind=Kind.BOOKMARK_SET, d="one"),
        bookmarks(bob, EDITED, kind=Kind.CURATION_SET, d="two", via="both"),
        # A set without the video leaves the set of another d as it is.
        bookmarks(carol, VIDEO, kind=Kind.BOOKMARK_SET, d="one", at=1),
        bookmarks(carol, kind=Kind.BOOKMARK_SET, d="two", at=2),
        # Another kind of list is no bookmark.
        bookmarks(dave, VIDEO, kind=30_004, d="one"),
    )

    assert [2] == each(api, [EDITED], "bookmarks")


def test_a_list_that_is_deleted_or_expired_holds_nothing(api):
    by_id = bookmarks(bob, VIDEO)
    by_address = bookmarks(carol, VIDEO, kind=Kind.BOOKMARK_SET, d="one")
    expired = an_event(
        Kind.BOOKMARKS, dave, tags=[("a", address(VIDEO)), ("expiration", "1")], at=1
    )
    kept = bookmarks(mallory, VIDEO)
    publish(
        VIDEO,
        *(by_id, by_address, expired, kept),
        a_deletion(by_id, by=bob),
        a_deletion(by_address, by=carol, via="a"),
        a_deletion(kept, by=bob),
    )

    assert [1] == each(api, [VIDEO], "bookmarks")


def test_reports_are_people_by_type_and_hide_nothing(api):
    here = ("a", address(VIDEO))
    publish(
        VIDEO,
        EDITED,
        a_report(VIDEO, bob, "nudity"),
        a_report(EDITED, bob, "nudity", via="a", at=2),
        a_report(EDITED, bob, "spam", via="both", at=3),
        a_report(EDITED, carol, "nudity"),
        a_report_tagged(here, ("report", "malware"), by=carol),
        a_report_tagged((*here, "boring"), ("report", "illegal"), by=dave),
        a_report_tagged((*here, "boring"), by=dave),
        a_report_tagged(here, by=mallory),
    )

    assert {
        ("nudity", 2),
        ("spam", 1),
        ("malware", 1),
        ("illegal", 1),
        ("other", 2),
    } == claims(VIDEO, "reports")
    assert [address(VIDEO)] == recent(api)
    assert {"sensitive": False}.items() <= row(api, EDITED).items()


def test_labels_are_people_by_namespace_and_label_and_change_no_hashtag(api):
    publish(
        a_video(alice, "v1", tags=[("t", "cats")]),
        OTHER,
        a_label(VIDEO, "funny", by=bob),
        a_label(VIDEO, "funny", by=bob, at=2),
        a_label(VIDEO, "funny", "org.example", by=bob),
        an_event(
            Kind.LABEL,
            carol,
            # Without a namespace, and with one that no L tag declares.
            tags=[
                ("l", "funny"),
                ("l", "dogs", "#t"),
                ("l", "nudity", "content-warning"),
                ("l", ""),
                ("a", address(VIDEO)),
                ("a", address(OTHER)),
            ],
            at=1,
        ),
    )

    by_carol = {("ugc", "funny", 1), ("#t", "dogs", 1), ("content-warning", "nudity", 1)}
    assert by_carol == claims(OTHER, "labels")
    assert by_carol - {("ugc", "funny", 1)} | {
        ("ugc", "funny", 2),
        ("org.example", "funny", 1),
    } == claims(VIDEO, "labels")
    found = api.get("/api/search", {"tag": "cats"}).json()
    assert [(["cats"], False)] == [(video["hashtags"], video["sensitive"]) for video in found]
    assert [] == api.get("/api/search", {"tag": "dogs"}).json()


def deliver_labels(*events, labelers=(carol,)) -> Delivery:
    delivery = Delivery(
        connections["default"], now=NOW, trusted_labelers=tuple(each.pubkey for each in labelers)
    )
    delivery.deliver([[as_json(event) for event in events]])
    assert not delivery.rejected
    return delivery


def test_labels_of_trusted_people_are_hashtags_and_warnings(api):
    warned = a_video(alice, "warned", tags=[("content-warning", "blood")])
    cats = a_video(alice, "v1", tags=[("t", "cats")])
    deliver_labels(
        cats,
        warned,
        OTHER,
        a_label(VIDEO, "scam", "#t", mallory),
        a_label(VIDEO, "nudity", "content-warning", mallory),
        a_label(OTHER, " #SCAM", "#t", carol),
        a_label(OTHER, "Cafe\u0301", "#t", carol),
        a_label(OTHER, "#", "#t", carol),
        a_label(OTHER, "funny", "ugc", carol),
        a_label(OTHER, "nudity", "content-warning", carol, at=2),
        a_label(OTHER, "gore", "content-warning", carol, via="e", at=3),
        a_label(warned, "gore", "content-warning", carol),
    )

    names = ("hashtags", "sensitive", "content_warning")
    assert [["cats"], False, ""] == [row(api, cats)[name] for name in names]
    assert [["café", "scam"], True, "gore"] == [row(api, OTHER)[name] for name in names]
    assert [[], True, "blood"] == [row(api, warned)[name] for name in names]
    tagged = api.get("/api/search", {"tag": "scam"}).json()
    assert [address(OTHER)] == [video["address"] for video in tagged]
    safe = api.get("/api/videos", {"sort": "recent", "nsfw": "hide"}).json()
    assert [address(VIDEO)] == [video["address"] for video in safe]
    # As before, they are counted as claims.
    assert ("#t", "scam", 1) in claims(VIDEO, "labels")


def test_a_label_is_withdrawn_as_any_act_is(api):
    first = a_video(alice, "v1")
    label = a_label(first, "scam", "#t", carol, via="e", at=1)
    delivery = deliver_labels(first, label, a_video(alice, "v1", title="edited", at=2))
    assert ["scam"] == row(api, first)["hashtags"]

    delivery.deliver([[as_json(a_deletion(label, by=mallory, at=3))]])
    assert ["scam"] == row(api, first)["hashtags"]

    delivery.deliver([[as_json(a_deletion(label, by=carol, at=3))]])
    assert [] == row(api, first)["hashtags"]
