"""Samples of what was rejected: some of each reason, safe to show, never a flood."""

from __future__ import annotations

import orjson
import pytest

from ingestion import rejected
from ingestion.messages import (
    ClosedMessage,
    EventMessage,
    OkMessage,
    UnreadableFrame,
    parse_message,
)
from ingestion.models import RejectedEvent
from ingestion.pipeline import Accepted, Pipeline, RecentIds, WantedKinds
from ingestion.rejected import (
    MAX_SAMPLE_CHARACTERS,
    SAMPLES_PER_REASON,
    RejectedSamples,
    Sample,
    save_samples,
)
from tests.builders import a_note, as_json


def test_only_the_first_few_of_a_reason_are_kept_between_two_savings():
    samples = RejectedSamples()
    for number in range(100):
        samples.offer("bad_id", "wss://relay.example", {"n": number})
    samples.offer("bad_kind", "wss://relay.example", None)

    taken = samples.take()

    assert SAMPLES_PER_REASON + 1 == len(taken)
    assert [] == samples.take()


@pytest.mark.parametrize(
    "raw", [{"x": "\x00"}, "\ud800", {"\ud800": 1}, b"\xff", 2**70, "x" * 10**6]
)
def test_whatever_is_rejected_can_be_shown(raw):
    shown = rejected.showable(raw)

    assert "\x00" not in shown
    assert len(shown.encode()) < 10_000


@pytest.mark.parametrize("depth", [200, 500, 960, 1000, 5000])
@pytest.mark.parametrize("place", ["id", "tags", "more"])
def test_a_relay_that_nests_deeply_is_heard_and_shown(depth, place):
    """orjson reads a thousand levels, writes a quarter of that, and `repr` is in between."""
    nested = "[" * depth + "]" * depth
    event = orjson.dumps(as_json(a_note()) | {place: "?"}).replace(b'"?"', nested.encode())
    pipeline = Pipeline(kinds=WantedKinds(), recent=RecentIds())

    heard = [parse_message(b'["EVENT","s",%s]' % event)]
    heard += [
        parse_message(b'["%s","s",%s]' % (verb, nested.encode())) for verb in (b"CLOSED", b"X")
    ]
    heard.append(parse_message(b'["OK","s",true,%s]' % nested.encode()))

    for message in heard:
        if isinstance(message, EventMessage):
            verdict = pipeline.judge(message.event, message.size)
            assert isinstance(verdict, Accepted) == (place == "more")
            assert 0 < len(rejected.showable(message.event)) <= MAX_SAMPLE_CHARACTERS
        else:
            assert isinstance(message, ClosedMessage | OkMessage | UnreadableFrame)


@pytest.mark.django_db
def test_the_oldest_samples_make_room(monkeypatch):
    monkeypatch.setattr(rejected, "KEPT_SAMPLES", 5)
    for number in range(4):
        save_samples([Sample("bad_id", "", f"{number}a"), Sample("bad_id", "", f"{number}b")])

    kept = [event.sample for event in RejectedEvent.objects.all()]

    assert ["3b", "3a", "2b", "2a", "1b"] == kept


@pytest.mark.django_db
def test_the_admin_shows_samples_and_lets_nobody_edit_them(admin_client):
    save_samples([Sample("bad_id", "wss://relay.example", "<script>")])

    assert 200 == admin_client.get("/admin/ingestion/rejectedevent/").status_code
    assert 403 == admin_client.get("/admin/ingestion/rejectedevent/add/").status_code
