"""The admin: relays are added, paused and resumed there, and it shows what the workers report."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ingestion.models import BackfillRun, RejectedEvent, Relay, SyncCursor

pytestmark = pytest.mark.django_db

RELAYS = "/admin/ingestion/relay/"
URL = "wss://relay.example"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert 200 == answer.status_code
    return answer.content.decode()


def switches() -> tuple[bool, bool]:
    relay = Relay.objects.get(url=URL)
    return relay.is_listed, relay.is_paused


NO_CURSORS = {"cursors-TOTAL_FORMS": "0", "cursors-INITIAL_FORMS": "0"}


def test_a_relay_is_added_paused_and_resumed(admin):
    admin.post(f"{RELAYS}add/", {"url": URL, "is_listed": "on", **NO_CURSORS})
    assert (True, False) == switches()
    chosen = {"_selected_action": Relay.objects.get().pk}

    admin.post(RELAYS, {"action": "pause", **chosen})
    assert (True, True) == switches()
    admin.post(RELAYS, {"action": "resume", **chosen})
    assert (True, False) == switches()


@pytest.mark.parametrize(
    "url", ["https://relay.example", "wss://relay example", "wss://name:word@relay.example"]
)
def test_what_is_no_address_of_a_relay_is_not_added(admin, url):
    answer = admin.post(f"{RELAYS}add/", {"url": url, **NO_CURSORS})

    assert "must be ws:// or wss://" in answer.content.decode()
    assert not Relay.objects.exists()


def test_saving_a_page_that_was_opened_earlier_changes_the_switches_alone(admin):
    relay = Relay.objects.create(url=URL)
    SyncCursor.objects.create(relay=relay, filter="public", synced_until=5)
    changed_at = Relay.objects.get().state_changed_at
    Relay.objects.update(state=Relay.State.LIVE, last_error="earlier")

    admin.post(
        f"{RELAYS}{relay.pk}/change/",
        {"url": "wss://another.example", "is_paused": "on", **NO_CURSORS},
    )

    relay = Relay.objects.get()
    assert (False, True) == switches()
    assert (Relay.State.LIVE, "earlier", changed_at) == (
        relay.state,
        relay.last_error,
        relay.state_changed_at,
    )
    assert 5 == relay.cursors.get().synced_until


def test_a_relay_shows_its_state_its_cursor_and_its_lag(admin):
    relay = Relay.objects.create(url=URL, state=Relay.State.CATCHING_UP, last_error="too busy")
    SyncCursor.objects.create(
        relay=relay,
        filter="public",
        synced_until=int(time.time()) - 3600,
        gaps=[[0, 1_700_000_000]],
    )

    shown = page(admin, RELAYS)
    details = page(admin, f"{RELAYS}{relay.pk}/change/")

    for words in ("catching up", "too busy", "but for 1 gaps", "1:00:0"):
        assert words in shown
    assert "1970-01-01 00:00:00 to 2023-11-14 22:13:20" in details


def test_backfills_show_how_far_they_are_and_cannot_be_edited(admin):
    relay = Relay.objects.create(url=URL)
    run = BackfillRun.objects.create(
        relay=relay,
        filter="public",
        since=1_700_000_000,
        until=1_700_001_000,
        unread_until=1_700_000_250,
        events_read=1234,
    )

    shown = page(admin, "/admin/ingestion/backfillrun/")

    for words in ("75.0 %", "1234", "2023-11-14 22:17:30", "Running"):
        assert words in shown
    assert 403 == admin.post(f"/admin/ingestion/backfillrun/{run.pk}/change/", {}).status_code


def test_rejected_events_are_shown_by_reason_with_a_sample(admin):
    for number in range(3):
        RejectedEvent.objects.create(reason="bad_id", relay_url=URL, sample=f'{{"n":{number}}}')
    RejectedEvent.objects.create(reason="too_large", sample="<script>alert(1)</script>")

    shown = page(admin, "/admin/ingestion/rejectedevent/")
    of_one_reason = page(admin, "/admin/ingestion/rejectedevent/?reason__exact=bad_id")

    assert "bad_id (3)" in shown
    assert "&lt;script&gt;" in shown
    assert "{&quot;n&quot;:2}" in of_one_reason
    assert "&lt;script&gt;" not in of_one_reason
