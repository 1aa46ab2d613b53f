"""Which events are stored: every check, and real data good and bad."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import orjson
import pytest
from django.conf import settings

from funnel.nostr import Kind
from ingestion.messages import EventMessage, parse_message
from ingestion.pipeline import (
    DUPLICATE,
    MAX_EVENT_BYTES,
    Accepted,
    Duplicate,
    Pipeline,
    RecentIds,
    Rejected,
    Verdict,
    Verify,
    WantedKinds,
)
from tests.builders import (
    a_note,
    a_repost,
    a_video,
    a_view,
    an_event,
    as_json,
    forged,
)

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"
BAD_EVENTS = DATA / "bad-events.jsonl"
REAL_EVENTS = DATA / "real-events.jsonl.gz"
VECTORS = DATA / "semantics-vectors.json"

REASONS = {
    "too_large",
    "not_an_object",
    "missing_field",
    "bad_id",
    "bad_pubkey",
    "bad_sig",
    "bad_created_at",
    "bad_kind",
    "bad_tags",
    "bad_content",
    "bad_encoding",
    "id_mismatch",
    "bad_signature",
    "ephemeral",
    "unwanted_kind",
}
EVERY_KIND = WantedKinds(unwanted=frozenset())


def a_pipeline(kinds: WantedKinds | None = None, remembered: int = 1000) -> Pipeline:
    return Pipeline(kinds=kinds or WantedKinds(), recent=RecentIds(remembered))


def judged(raw: object, pipeline: Pipeline | None = None) -> Verdict:
    return (pipeline or a_pipeline()).judge(raw, 500)


def test_a_good_event_is_accepted():
    note = a_note()

    assert Accepted(note, False, 500) == judged(as_json(note))


def test_a_repost_says_whether_what_it_carries_is_genuine():
    assert Accepted(a_repost(a_video(), embedded=True), True, 500) == judged(
        as_json(a_repost(a_video(), embedded=True))
    )


def test_a_copy_is_recognised():
    pipeline = a_pipeline()

    verdicts = [judged(as_json(a_note()), pipeline) for _ in range(3)]

    assert [Accepted, Duplicate, Duplicate] == [type(verdict) for verdict in verdicts]


def test_a_forged_copy_that_comes_first_does_not_keep_the_genuine_one_out():
    pipeline = a_pipeline()
    note = a_note()
    no_signature = forged(note, sig="0" * 128)

    verdicts = [
        judged(as_json(forged(note)), pipeline),
        judged(as_json(no_signature), pipeline),
        judged(as_json(note), pipeline),
        judged(as_json(forged(note)), pipeline),
    ]

    assert [
        Rejected("id_mismatch"),
        Rejected("bad_signature"),
        Accepted(note, False, 500),
        DUPLICATE,
    ] == verdicts


def test_of_a_trusted_relay_everything_but_the_signature_is_checked():
    note = a_note()
    unsigned = forged(note, sig="0" * 128)
    pipeline = Pipeline(kinds=WantedKinds(), recent=RecentIds(9), verify=Verify.TRUSTED)

    assert Rejected("id_mismatch") == judged(as_json(forged(note)), pipeline)
    assert Rejected("bad_sig") == judged(as_json(forged(note, sig="")), pipeline)
    assert Accepted(unsigned, False, 500) == judged(as_json(unsigned), pipeline)
    assert DUPLICATE == judged(as_json(note), pipeline)


def test_a_trusted_relay_is_not_trusted_with_events_within_events():
    pipeline = Pipeline(kinds=WantedKinds(), recent=RecentIds(9), verify=Verify.TRUSTED)
    repost = a_repost(forged(a_video(), sig="0" * 128), embedded=True)

    assert Accepted(repost, False, 500) == judged(as_json(repost), pipeline)


def test_an_event_beyond_the_size_limit_is_rejected_unread():
    assert Rejected("too_large") == a_pipeline().judge(as_json(a_note()), MAX_EVENT_BYTES + 1)


def test_ephemeral_events_are_dropped_but_for_views():
    assert Rejected("ephemeral") == judged(as_json(an_event(20_001)))
    assert Rejected("ephemeral") == judged(as_json(an_event(Kind.CLIENT_AUTH)))
    assert isinstance(judged(as_json(a_view(a_video()))), Accepted)


@pytest.mark.parametrize("kind", [4, 13, 14, 15, 1059])
def test_messages_between_people_are_kept_only_when_asked_for(kind):
    raw = as_json(an_event(kind))

    assert Rejected("unwanted_kind") == judged(raw)
    assert isinstance(judged(raw, a_pipeline(WantedKinds.chosen([kind]))), Accepted)


def test_chosen_kinds_are_the_only_ones():
    pipeline = a_pipeline(WantedKinds.chosen([1]))

    assert isinstance(judged(as_json(an_event(1)), pipeline), Accepted)
    assert Rejected("unwanted_kind") == judged(as_json(an_event(7)), pipeline)


@pytest.mark.parametrize("kind", [Kind.DELETION, Kind.VANISH])
def test_what_takes_events_away_is_always_among_the_chosen_kinds(kind):
    pipeline = a_pipeline(WantedKinds.chosen([1]))

    assert isinstance(judged(as_json(an_event(kind)), pipeline), Accepted)


def test_recent_ids_forget_the_oldest_and_never_the_last_ones():
    recent = RecentIds(3)

    for number in range(10):
        recent.add(str(number))
        assert all(str(n) in recent for n in range(max(0, number - 2), number + 1))

    assert "0" not in recent


# --- Real data ------------------------------------------------------------------------------------


@pytest.mark.skipif(not VECTORS.exists(), reason="semantics-vectors.json is not beside the project")
def test_s23_of_six_events_in_one_delivery_one_is_good():
    scenarios = json.loads(VECTORS.read_text())["scenarios"]
    batch = next(one for one in scenarios if one["name"] == "S23")["batches"][0]
    pipeline = a_pipeline()

    verdicts = [judged(raw, pipeline) for raw in batch]

    assert Counter(type(verdict) for verdict in verdicts) == {Rejected: 5, Accepted: 1}
    assert ["good"] == [
        tag[1]
        for verdict in verdicts
        if isinstance(verdict, Accepted)
        for tag in verdict.event.tags
        if tag[0] == "title"
    ]


@pytest.mark.skipif(not BAD_EVENTS.exists(), reason="bad-events.jsonl is not beside the project")
def test_every_bad_event_from_the_wild_is_rejected_for_a_counted_reason():
    pipeline = a_pipeline(EVERY_KIND)
    accepted = []

    for line in BAD_EVENTS.read_bytes().splitlines():
        bad = orjson.loads(line)
        text = bad["raw"].encode("utf-8", "surrogatepass")
        for frame in (text, b'["EVENT","s",' + text + b"]"):
            message = parse_message(frame)
            if not isinstance(message, EventMessage):
                continue
            verdict = pipeline.judge(message.event, message.size)
            if isinstance(verdict, Accepted):
                accepted.append(bad["why"])
            else:
                assert isinstance(verdict, Rejected)
                assert verdict.reason in REASONS

    assert [] == accepted


@pytest.mark.skipif(not REAL_EVENTS.exists(), reason="real-events.jsonl.gz is not there")
def test_every_real_event_is_accepted_unless_its_kind_or_its_date_is_out_of_bounds():
    pipeline = a_pipeline(EVERY_KIND, remembered=100_000)
    verdicts: Counter[str] = Counter()
    expected: Counter[str] = Counter()

    for line in gzip.decompress(REAL_EVENTS.read_bytes()).splitlines():
        raw = orjson.loads(line)
        verdict = pipeline.judge(raw, len(line))
        verdicts[verdict.reason if isinstance(verdict, Rejected) else "accepted"] += 1
        if raw["created_at"] >= 2**32:
            expected["bad_created_at"] += 1
        elif 20_000 <= raw["kind"] < 30_000 and raw["kind"] != Kind.VIEW:
            expected["ephemeral"] += 1
        else:
            expected["accepted"] += 1

    assert expected == verdicts
    assert expected["accepted"] > 17_000
