"""How much each relay sends and how much of it is rejected, kept for the admin for a while.

The metrics of a worker say the same to Prometheus; these are for whoever has none.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from ingestion.metrics import Traffic
from ingestion.models import RejectedHour, Relay, RelayMinute

KEPT_MINUTES = dt.timedelta(days=1)
KEPT_HOURS = dt.timedelta(days=7)


def save_traffic(traffic: Traffic, now: dt.datetime) -> None:
    """Adds to the minute and the hour of `now` and drops what is old; blocking."""
    minute = now.replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    with transaction.atomic():
        for url, events in traffic.received.items():
            relay, _ = Relay.objects.get_or_create(url=url)
            row, _ = RelayMinute.objects.get_or_create(relay=relay, minute=minute)
            # Added by the database: another worker may read the same relay.
            RelayMinute.objects.filter(pk=row.pk).update(events=F("events") + events)
        for reason, events in traffic.rejected.items():
            count, _ = RejectedHour.objects.get_or_create(reason=reason, hour=hour)
            RejectedHour.objects.filter(pk=count.pk).update(events=F("events") + events)
        RelayMinute.objects.filter(minute__lt=minute - KEPT_MINUTES).delete()
        RejectedHour.objects.filter(hour__lt=hour - KEPT_HOURS).delete()
