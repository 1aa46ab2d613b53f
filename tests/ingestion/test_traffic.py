"""How much relays send, as the admin shows it: added up by whoever reads, kept for a while."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from django.db import OperationalError

from ingestion.metrics import EventTally, Traffic
from ingestion.models import RejectedHour, Relay, RelayMinute
from ingestion.traffic import KEPT_HOURS, KEPT_MINUTES, save_traffic

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
RELAY = "wss://relay.example"


def minutes():
    return list(RelayMinute.objects.values_list("relay__url", "minute", "events"))


def test_a_tally_hands_over_what_it_has_published_once():
    tally = EventTally()
    tally.receive({"kind": 1}, RELAY)
    tally.receive({"kind": 7}, RELAY)
    tally.reject("bad_sig")

    assert not tally.take_traffic()
    tally.publish()
    traffic = tally.take_traffic()

    assert ({RELAY: 2}, {"bad_sig": 1}) == (traffic.received, traffic.rejected)
    assert not tally.take_traffic()


@pytest.mark.django_db
def test_what_several_workers_save_is_added_up_by_minute_and_hour():
    for seconds in (0, 30, 60):
        save_traffic(
            Traffic(Counter({RELAY: 5}), Counter({"bad_id": 2})),
            NOW + dt.timedelta(seconds=seconds),
        )

    minute = NOW.replace(second=0)
    assert [(RELAY, minute, 10), (RELAY, minute + dt.timedelta(minutes=1), 5)] == minutes()
    assert [("bad_id", 6)] == list(RejectedHour.objects.values_list("reason", "events"))


@pytest.mark.django_db
def test_what_is_old_goes():
    save_traffic(Traffic(Counter({RELAY: 5}), Counter({"bad_id": 2})), NOW)

    save_traffic(Traffic(Counter({RELAY: 1})), NOW + KEPT_MINUTES + dt.timedelta(minutes=1))
    assert [1] == [events for _, _, events in minutes()]
    assert 1 == RejectedHour.objects.count()

    save_traffic(Traffic(Counter({RELAY: 1})), NOW + KEPT_HOURS + dt.timedelta(hours=1))
    assert 0 == RejectedHour.objects.count()


@pytest.mark.django_db
def test_a_database_that_does_not_answer_stops_nobody(monkeypatch):
    def fail(**_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Relay.objects, "get_or_create", fail)

    save_traffic(Traffic(Counter({RELAY: 5})), NOW)

    assert [] == minutes()
