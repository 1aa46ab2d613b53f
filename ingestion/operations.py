"""The panels of the admin's first page about relays: what the workers keep in Django's database."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db.models import Max, Sum
from django.utils import timezone

from funnel.operations import Chart, Panel
from ingestion.models import (
    BackfillRun,
    RejectedEvent,
    RejectedHour,
    Relay,
    RelayMinute,
    SyncCursor,
)

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
MINUTES = 60
# More lines than that nobody can tell apart; the others are one.
DRAWN_RELAYS = 7
SAMPLES = 8
RUNS = 10

STATE_LOOKS = {
    Relay.State.LIVE: "good",
    Relay.State.CATCHING_UP: "busy",
    Relay.State.CONNECTING: "busy",
    Relay.State.REFUSED: "bad",
}
RUN_LOOKS = {
    BackfillRun.State.RUNNING: "busy",
    BackfillRun.State.INTERRUPTED: "",
    BackfillRun.State.COMPLETE: "good",
    BackfillRun.State.PARTIAL: "bad",
}


def last_minutes() -> list[dt.datetime]:
    """The beginnings of the last whole minutes, oldest first."""
    this = timezone.now().replace(second=0, microsecond=0)
    return [this - MINUTE * back for back in range(MINUTES, 0, -1)]


def rate() -> dict[str, Any]:
    minutes = last_minutes()
    counted: dict[str, dict[dt.datetime, int]] = defaultdict(dict)
    rows = RelayMinute.objects.filter(minute__gte=minutes[0]).values_list(
        "relay__url", "minute", "events"
    )
    for url, minute, events in rows:
        counted[url][minute] = events
    by_traffic = sorted(counted, key=lambda url: (-sum(counted[url].values()), url))
    series = {
        url: [counted[url].get(minute, 0) for minute in minutes]
        for url in by_traffic[:DRAWN_RELAYS]
    }
    if others := by_traffic[DRAWN_RELAYS:]:
        series["others"] = [
            sum(counted[url].get(minute, 0) for url in others) for minute in minutes
        ]
    return {
        "chart": Chart(
            name="rate",
            title="Events that relays sent, per minute, copies included",
            kind="line",
            labels=[f"{minute:%H:%M}" for minute in minutes],
            series=series or {"events": [0] * MINUTES},
        )
    }


def relays() -> dict[str, Any]:
    now = timezone.now()
    minutes = last_minutes()
    last_minute = dict(
        RelayMinute.objects.filter(minute=minutes[-1]).values_list("relay", "events")
    )
    last_hour = dict(
        RelayMinute.objects.filter(minute__gte=minutes[0])
        .values_list("relay")
        .annotate(Sum("events"))
    )
    last_heard = dict(RelayMinute.objects.values_list("relay").annotate(Max("minute")))
    cursors: dict[int, list[SyncCursor]] = defaultdict(list)
    for cursor in SyncCursor.objects.all():
        cursors[cursor.relay_id].append(cursor)
    return {
        "relays": [
            {
                "relay": relay,
                "look": STATE_LOOKS.get(Relay.State(relay.state), ""),
                "last_minute": last_minute.get(relay.pk, 0),
                "last_hour": last_hour.get(relay.pk, 0),
                "last_heard": last_heard.get(relay.pk),
                "lag_seconds": lag_seconds(cursors[relay.pk], now),
                "gaps": sum(len(cursor.gaps) for cursor in cursors[relay.pk]),
            }
            for relay in Relay.objects.all()
        ]
    }


def lag_seconds(cursors: list[SyncCursor], now: dt.datetime) -> int | None:
    """How long ago the end of what is completely read of a relay was; None where nothing is."""
    ends = [
        # What lies in a gap and after it is not complete.
        min([cursor.synced_until, *(since - 1 for since, _ in cursor.gaps)])
        for cursor in cursors
    ]
    return max(0, int(now.timestamp()) - min(ends)) if ends else None


def backfills() -> dict[str, Any]:
    now = timezone.now()
    return {
        "runs": [
            {
                "run": run,
                "fraction": run.progress.fraction(now.timestamp()),
                "percent": 100 * run.progress.fraction(now.timestamp()),
                "since": moment(run.since),
                "until": moment(run.until),
                "unread_until": moment(run.unread_until),
                "look": RUN_LOOKS[BackfillRun.State(run.state)],
            }
            for run in BackfillRun.objects.select_related("relay")[:RUNS]
        ]
    }


def moment(unix_seconds: int) -> dt.datetime | None:
    """None for the beginning and the end of all time."""
    if not 0 < unix_seconds < 2**32 - 1:
        return None
    return dt.datetime.fromtimestamp(unix_seconds, dt.UTC)


def rejected() -> dict[str, Any]:
    since = timezone.now() - dt.timedelta(days=1)
    counts = dict(
        RejectedHour.objects.filter(hour__gte=since)
        .values_list("reason")
        .annotate(events=Sum("events"))
        .order_by("-events", "reason")
    )
    newest = RejectedEvent.objects.values("reason").annotate(newest=Max("id")).order_by("-newest")
    samples = RejectedEvent.objects.filter(id__in=[row["newest"] for row in newest[:SAMPLES]])
    return {
        "chart": Chart(
            name="rejected",
            title="Events that were not stored in the last day, by reason",
            kind="horizontal-bar",
            labels=list(counts),
            series={"events": list(counts.values())},
        )
        if counts
        else None,
        "samples": samples,
    }


PANELS = (
    Panel("rate", "Relays", "operations/one_chart.html", rate, position=20, width=6),
    Panel("relays", "", "operations/relays.html", relays, position=40),
    Panel("backfills", "Backfills", "operations/backfills.html", backfills, position=50),
    Panel(
        "rejected", "Rejected events", "operations/rejected.html", rejected, position=90, width=6
    ),
)
