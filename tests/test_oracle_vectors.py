"""The oracle against the published vectors, and against itself in any order of arrival."""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from funnel.nostr import Kind
from tests.builders import (
    A_DAY,
    T,
    a_comment,
    a_label,
    a_reaction,
    a_report,
    a_repost,
    a_vanish,
    a_video,
    a_view,
    a_zap,
    address,
    alice,
    an_event,
    an_invoice,
    as_json,
    bob,
    bookmarks,
    carol,
    dave,
    lightning_service,
    mallory,
)
from tests.oracle import Config, Oracle, Stats, Totals, accept, imetas, invoice_millisats
from tests.strategies import EventSet, event_sets

VECTORS = Path(__file__).parents[2] / "shared" / "data" / "semantics-vectors.json"
VARIANTS = 47


@functools.cache
def scenarios() -> dict[str, dict[str, Any]]:
    if not VECTORS.exists():
        return {}
    return {each["name"]: each for each in json.loads(VECTORS.read_text())["scenarios"]}


def delivered(scenario: dict[str, Any], order: str) -> list[dict[str, Any]]:
    events = [event for batch in scenario["batches"] for event in batch]
    if order == "reversed":
        return events[::-1]
    if order == "shuffled":
        return random.Random(scenario["name"]).sample(events, len(events))
    return events * 2 if order == "doubled" else events


def answer(oracle: Oracle, expected: dict[str, Any]) -> dict[str, Any]:
    """What the oracle says to the questions that a scenario asks."""
    totals = oracle.totals()
    answered: dict[str, Any] = {
        "recent": oracle.recent(),
        "totals": {"events": totals.events, "videos": totals.videos},
        "stats_by_event_id": {
            id_: counts(oracle.stats(id_)) for id_ in expected["stats_by_event_id"]
        },
    }
    if "hashtag" in expected:
        answered["hashtag"] = {tag: oracle.recent(hashtag=tag) for tag in expected["hashtag"]}
    if "recent_by_kind" in expected:
        answered["recent_by_kind"] = {
            kind: oracle.recent(kind=int(kind)) for kind in expected["recent_by_kind"]
        }
    if "dau" in expected:
        days = oracle.active_users("day")
        answered["dau"] = {str(day): people for day, people in days.items()}
    if "creators" in expected:
        answered["creators"] = {each.pubkey: each.video_count for each in oracle.top_creators()}
    return answered


def counts(stats: Stats | None) -> dict[str, Any] | None:
    if stats is None:
        return None
    return {
        "address": stats.address,
        "id": stats.id,
        "title": stats.title,
        "reactions": stats.reactions,
        "likes": stats.likes,
        "dislikes": stats.dislikes,
        "emojis": stats.emojis,
        "comments": stats.comments,
        "reposts": stats.reposts,
    }


def known(oracle: Oracle, identifier: str) -> Stats:
    stats = oracle.stats(identifier)
    assert stats is not None
    return stats


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the vectors are not at {VECTORS}")
def test_every_variant_of_the_vectors_is_there():
    assert VARIANTS == len(scenarios())


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the vectors are not at {VECTORS}")
@pytest.mark.parametrize("order", ["given", "reversed", "shuffled", "doubled"])
@pytest.mark.parametrize("name", scenarios())
def test_the_oracle_answers_as_the_vectors_expect(name: str, order: str):
    scenario = scenarios()[name]
    verdicts = [accept(raw) for raw in delivered(scenario, order)]

    oracle = Oracle((event for event in verdicts if event is not None), scenario["now"])

    assert scenario["expected"] == answer(oracle, scenario["expected"])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event_sets())
def test_neither_order_nor_repetition_changes_an_answer(drawn: EventSet):
    answers = Oracle(drawn.accepted, drawn.now).answers()

    reordered = Oracle(drawn.accepted[::-1] * 2, drawn.now).answers()

    assert answers == reordered


def test_what_the_builders_sign_is_accepted():
    video = a_video(title="It's Zürich \U0001f525 \x00 \n \\")
    events = [video, a_reaction(video), a_comment(video), a_zap(video), a_view(video)]

    assert events == [accept(as_json(event)) for event in events]


def test_a_view_is_a_start_and_loops_are_what_ends_tell():
    video = a_video()
    views = [
        a_view(video, bob, phase="start", session="s", at=1),
        a_view(video, bob, phase="start", session="s", at=2),
        a_view(video, bob, phase="end", session="s", loops="1.25", at=3),
        a_view(video, bob, phase="end", session="s", loops="0.5", at=4),
        a_view(video, carol, loops="0.75", at=5),
        a_view(video, carol, loops="-1", at=6),
        a_view(video, dave, phase="middle", loops="9", at=7),
        a_view(video, dave, phase="end", loops="NaN", at=8),
    ]

    stats = known(Oracle([video, *views], T + 100), video.id)

    assert (3, 2, 2.5) == (stats.views, stats.unique_viewers, stats.loops)


def test_views_count_in_no_total_and_make_nobody_active():
    video = a_video(by=alice)

    oracle = Oracle([video, a_view(video, bob)], T + 100)

    assert Totals(events=1, videos=1, vine_videos=0) == oracle.totals()
    assert [1] == list(oracle.active_users("day").values())


def test_absurd_views_and_loops_are_capped_for_each_viewer_and_day():
    video = a_video()
    config = Config(views_per_day=2, loops_per_view=10, loops_per_day=15)
    bobs = [a_view(video, bob, loops="11", at=at) for at in (0, 1, 2, A_DAY)]
    carols = [a_view(video, carol, loops="0.5")]

    stats = known(Oracle([video, *bobs, *carols], T + 2 * A_DAY, config), video.id)

    assert (4, 2, 25.5) == (stats.views, stats.unique_viewers, stats.loops)


def test_the_views_of_who_vanished_are_gone():
    video = a_video()

    oracle = Oracle([video, a_view(video, bob, at=1), a_vanish(bob, at=50)], T + 100)

    assert 0 == known(oracle, video.id).views


def test_gift_wraps_vanish_with_whom_they_are_for():
    wrap = an_event(Kind.GIFT_WRAP, mallory, tags=[("p", bob.pubkey)], at=1)

    oracle = Oracle([wrap, a_vanish(bob, at=50)], T + 100)

    assert 1 == oracle.totals().events


def test_a_vanish_request_on_paper_removes_as_a_signed_one_does():
    video = a_video(by=alice)
    config = Config(vanished=((bob.pubkey, T + 1),))
    likes = [a_reaction(video, bob, at=1), a_reaction(video, bob, at=2)]

    at_barrier = Oracle([video, likes[0]], T + 100, config)
    afterwards = Oracle([video, *likes], T + 100, config)

    assert 0 == known(at_barrier, video.id).reactions
    assert 1 == known(afterwards, video.id).reactions


@pytest.mark.parametrize(
    ("invoice", "millisats"),
    [
        ("lnbc10u1qqqq", 1_000_000),
        ("lnbc11u1qqqq", 1_100_000),
        ("LNBC10U1QQQQ", 1_000_000),
        ("lnbc1qqqq", 0),
        ("lnbc210p1qqqq", 21),
        ("lnbc211p1qqqq", None),
        ("lnbc2m1qqqq", 200_000_000),
        ("lnbc21000001qqqq", 210_000_000_000_000_000),
        ("bc1qqqq", None),
        ("", None),
    ],
)
def test_the_amount_of_an_invoice_stands_before_its_last_one(invoice: str, millisats: int | None):
    assert millisats == invoice_millisats(invoice)


def test_an_invoice_counts_once_and_a_wrong_amount_never():
    video = a_video()
    zap = a_zap(video, bob, millisats=1_000_000, asked=1_000_000, at=2)
    again = a_zap(video, bob, millisats=1_000_000, at=3)
    backdated = a_zap(video, bob, millisats=1_000_000, service=mallory, at=1)
    wrong = a_zap(video, carol, invoice=an_invoice(1_000_000, 2), asked=2_000_000)
    events = [video, zap, again, backdated, wrong]
    config = Config(zap_signers=frozenset([lightning_service.pubkey]))

    unknown, verified = known(Oracle(events, T + 9), video.id), Oracle(events, T + 9, config)

    assert (0, 1, 1_000_000) == (
        unknown.zaps_verified,
        unknown.zaps_unverified,
        unknown.zap_msat_unverified,
    )
    assert (1, 0) == (
        known(verified, video.id).zaps_verified,
        known(verified, video.id).zaps_unverified,
    )


def test_a_repost_that_embeds_a_protected_video_is_none():
    video = a_video(tags=[("-",)])
    reposts = [a_repost(video, dave, via="e", embedded=True), a_repost(video, carol, via="a")]

    assert 1 == known(Oracle([video, *reposts], T + 9), video.id).reposts


def test_a_repost_of_a_version_that_never_came_names_no_video():
    first, second = a_video(title="1"), a_video(title="2", at=5)
    carrying = a_repost(first, bob, kind=Kind.REPOST, via="e", embedded=True)
    bare = a_repost(first, carol, kind=Kind.REPOST, via="e")

    assert 0 == known(Oracle([second, carrying, bare], T + 9), second.id).reposts


def test_a_bookmark_is_gone_with_the_next_list():
    video = a_video()
    with_it, without = bookmarks(bob, video, at=1), bookmarks(bob, at=2)

    assert 1 == known(Oracle([video, with_it], T + 9), video.id).bookmarks
    assert 0 == known(Oracle([without, with_it, video], T + 9), video.id).bookmarks


def test_a_reporter_counts_once_for_each_type():
    video = a_video()
    reports = [a_report(video, mallory, "nudity", at=at) for at in range(5)]
    reports.append(a_report(video, bob, "wss://relay.example.com"))

    stats = known(Oracle([video, *reports], T + 9), video.id)

    assert {"nudity": 1, "other": 1} == stats.reports


def test_only_trusted_labels_make_a_hashtag():
    video = a_video()
    label = a_label(video, "Scam", "#t", mallory)
    config = Config(trusted_labelers=frozenset([mallory.pubkey]))

    untrusted, trusted = Oracle([video, label], T + 9), Oracle([video, label], T + 9, config)

    assert [] == untrusted.recent(hashtag="scam")
    assert {("#t", "Scam"): 1} == known(untrusted, video.id).labels
    assert [address(video)] == trusted.recent(hashtag="scam")


def test_both_encodings_of_imeta_say_the_same():
    standard = a_video(tags=[("imeta", "url https://x/a.mp4", "m video/mp4", "duration  6.2")])
    paired = a_video(
        tags=[("imeta", "url", "https://x/a.mp4", "m", "video/mp4", "duration", "6.2")]
    )

    assert imetas(standard) == imetas(paired)


def test_the_metadata_of_a_video_is_that_of_its_playable_variant():
    video = a_video(
        tags=[
            ("imeta", "url https://x/a.m4a", "m audio/mp4", "image https://x/audio.jpg"),
            ("imeta", "url https://x/a.mp4", "m video/mp4", "dim 480x480", "duration NaN"),
            ("duration", "6.2"),
            ("thumb", "https://x/thumb.jpg"),
            ("t", "Cats"),
            ("t", "#cats"),
            ("content-warning",),
            ("loops", "12"),
        ]
    )

    described = Oracle([video], T + 9).video(video.id)

    assert described is not None
    assert ("https://x/a.mp4", "https://x/audio.jpg", 6.2, "480x480") == (
        described.video_url,
        described.thumbnail,
        described.duration_seconds,
        described.dimensions,
    )
    assert (("cats",), True, "", 12) == (
        described.hashtags,
        described.sensitive,
        described.content_warning,
        described.embedded_loops,
    )
