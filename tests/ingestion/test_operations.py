"""What the admin's first page says of relays, and what can be done about them in the admin."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from ingestion import operations
from ingestion.models import (
    BackfillRun,
    RejectedEvent,
    RejectedHour,
    Relay,
    RelayMinute,
    SyncCursor,
)
from ingestion.relay_state import listed_and_paused

pytestmark = pytest.mark.django_db

RELAY = "wss://relay.example"


@pytest.fixture
def relay():
    return Relay.objects.create(url=RELAY, state=Relay.State.LIVE)


def ago(**span):
    return timezone.now() - dt.timedelta(**span)


def in_minute(moment):
    return moment.replace(second=0, microsecond=0)


def test_each_relay_has_a_line_of_what_it_sent_and_the_smallest_share_one():
    for number in range(operations.DRAWN_RELAYS + 2):
        sender = Relay.objects.create(url=f"wss://{number}.example")
        RelayMinute.objects.create(
            relay=sender, minute=in_minute(ago(minutes=3)), events=100 - number
        )

    chart = operations.rate()["chart"]

    assert operations.DRAWN_RELAYS + 1 == len(chart.series)
    assert 100 == sum(chart.series["wss://0.example"])
    assert (100 - 7) + (100 - 8) == sum(chart.series["others"])
    assert {60} == {len(values) for values in chart.series.values()}


def test_a_relay_has_its_rate_and_how_far_it_is_read(relay):
    RelayMinute.objects.create(relay=relay, minute=in_minute(ago(minutes=1)), events=7)
    RelayMinute.objects.create(relay=relay, minute=in_minute(ago(minutes=30)), events=10)
    SyncCursor.objects.create(
        relay=relay, filter="public", synced_until=int(ago(seconds=40).timestamp())
    )

    [row] = operations.relays()["relays"]

    assert (7, 17) == (row["last_minute"], row["last_hour"])
    assert 40 <= row["lag_seconds"] < 60
    assert "good" == row["look"]


def test_what_lies_behind_a_gap_is_not_read(relay):
    now = timezone.now()
    cursor = SyncCursor(relay=relay, synced_until=int(now.timestamp()), gaps=[[1_000, 2_000]])

    assert int(now.timestamp()) - 999 == operations.lag_seconds([cursor], now)


def test_a_relay_that_was_never_read_has_no_lag(relay):
    assert operations.relays()["relays"][0]["lag_seconds"] is None


def test_a_backfill_shows_the_part_that_is_read(relay):
    end = int(timezone.now().timestamp())
    BackfillRun.objects.create(
        relay=relay,
        filter="public",
        since=end - 1_000_000,
        until=end,
        unread_until=end - 250_000,
        events_read=42,
    )

    [row] = operations.backfills()["runs"]

    assert 25.0 == pytest.approx(row["percent"], abs=0.1)
    assert "busy" == row["look"]


def test_the_end_of_all_time_is_no_date():
    assert operations.moment(0) is None
    assert operations.moment(2**32 - 1) is None
    assert dt.datetime(1970, 1, 2, tzinfo=dt.UTC) == operations.moment(86_400)


def test_rejected_events_are_counted_by_reason_with_a_sample_of_each():
    hour = ago(hours=1).replace(minute=0, second=0, microsecond=0)
    RejectedHour.objects.create(reason="bad_sig", hour=hour, events=3)
    RejectedHour.objects.create(reason="bad_id", hour=hour, events=8)
    RejectedHour.objects.create(reason="bad_id", hour=ago(days=3), events=1000)
    for sample in ("old", "new"):
        RejectedEvent.objects.create(reason="bad_id", relay_url=RELAY, sample=sample)

    seen = operations.rejected()

    assert ["bad_id", "bad_sig"] == seen["chart"].labels
    assert {"events": [8, 3]} == seen["chart"].series
    assert ["new"] == [event.sample for event in seen["samples"]]


def test_the_page_shows_what_relays_sent_as_text_and_never_as_html(admin_client, relay):
    RejectedEvent.objects.create(
        reason="bad_id", relay_url=RELAY, sample="<script>alert(1)</script>"
    )
    Relay.objects.filter(pk=relay.pk).update(last_error="<img src=x>")

    page = admin_client.get("/admin/").content.decode()

    assert RELAY in page
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_who_may_only_look_cannot_pause(client, django_user_model, relay):
    looker = django_user_model.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_relay"))
    client.force_login(looker)

    client.post(
        "/admin/ingestion/relay/", {"action": "pause", "_selected_action": [relay.pk]}, follow=True
    )

    assert ([], set()) == listed_and_paused()
