"""How much relays send, as the admin shows it: added up by whoever reads, kept for a while."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY

from funnel.clickhouse import clickhouse
from ingestion import event_store
from ingestion.event_store import EventStore, StoreOptions
from ingestion.metrics import EventTally, Traffic
from ingestion.models import RejectedHour, RelayMinute
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


@pytest.mark.parametrize("error", [OperationalError("database is locked"), TypeError("a bug")])
def test_what_cannot_be_saved_stops_nobody_and_is_counted(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(event_store, "save_traffic", fail)
    monkeypatch.setattr(event_store, "save_samples", fail)
    monkeypatch.setattr(event_store, "REPORT_SECONDS", 0.01)
    before = {of: failures(of) for of in ("samples", "traffic")}

    async def read(store: EventStore) -> None:
        store.reception.tally.receive({"kind": 1}, RELAY)
        store.reception.samples.offer("bad_id", RELAY, {})
        while any(failures(of) == before[of] for of in before):
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        store = EventStore(StoreOptions(own_addresses=()), clickhouse)
        await asyncio.wait_for(store.serve(read(store)), 30)

    asyncio.run(scenario())


def failures(what: str) -> float:
    return REGISTRY.get_sample_value("ingestion_notes_failed_total", {"what": what}) or 0.0
