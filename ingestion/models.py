"""Operations state: the relays, how far each one is synced, and samples of what was rejected."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from ingestion.gaps import Synced
from ingestion.progress import Progress
from ingestion.relay_address import WHAT_IT_IS, is_relay_address


def validate_relay_address(url: str) -> None:
    if not is_relay_address(url):
        raise ValidationError(f"This is no address of a relay: it must be {WHAT_IT_IS}.")


class Relay(models.Model):
    """A relay that a worker reads, and what the worker last said of it."""

    class State(models.TextChoices):
        CONNECTING = "connecting"
        CATCHING_UP = "catching_up", "catching up"
        LIVE = "live"
        REFUSED = "refused"
        PAUSED = "paused"
        STOPPED = "stopped"

    url = models.CharField(max_length=500, unique=True, validators=[validate_relay_address])
    is_listed = models.BooleanField(
        "read", default=False, help_text="Read it though the settings do not name it."
    )
    is_paused = models.BooleanField(
        "pause", default=False, help_text="Do not read it until this is taken back."
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.STOPPED)
    state_changed_at = models.DateTimeField(auto_now=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["url"]

    def __str__(self) -> str:
        return self.url


class SyncCursor(models.Model):
    """What of a relay is read and in ClickHouse: a span of time, but for the gaps in it."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="cursors")
    filter = models.TextField(help_text="The kinds that are asked for.")
    synced_since = models.BigIntegerField(default=0, help_text="Unix seconds, inclusive.")
    synced_until = models.BigIntegerField(help_text="Unix seconds, inclusive.")
    gaps = models.JSONField(
        default=list, blank=True, help_text="Spans that are still to be read: [[first, last], …]."
    )
    reread_since = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="From there on all is read once more, for what is dated back.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["relay", "filter"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["relay", "filter"], name="one_cursor_per_filter")
        ]

    def __str__(self) -> str:
        return f"{self.relay} ({self.filter}): {self.synced_until}"

    @property
    def synced(self) -> Synced:
        gaps = tuple((since, until) for since, until in self.gaps)
        return Synced(self.synced_since, self.synced_until, gaps, self.reread_since)


class BackfillRun(models.Model):
    """One reading of a span of a relay's past, and how far it has come, newest events first."""

    class State(models.TextChoices):
        RUNNING = "running"
        INTERRUPTED = "interrupted"
        COMPLETE = "complete"
        PARTIAL = "partial", "read but for what the relay kept back"

    # The others are gone on with when the same span is asked for again.
    ENDED = (State.COMPLETE, State.PARTIAL)

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="backfill_runs")
    filter = models.TextField(help_text="The kinds that are asked for.")
    since = models.BigIntegerField(help_text="Unix seconds, inclusive.")
    until = models.BigIntegerField(help_text="Unix seconds, inclusive.")
    unread_until = models.BigIntegerField(
        help_text="Unix seconds: all after it, up to `until`, is in ClickHouse."
    )
    events_read = models.BigIntegerField(default=0, help_text="Copies included.")
    unreachable_seconds = models.BigIntegerField(
        default=0, help_text="Seconds of which the relay holds more than it gives."
    )
    unproven_seconds = models.BigIntegerField(
        default=0, help_text="Seconds that were read by the kinds and authors that are known."
    )
    state = models.CharField(max_length=40, choices=State.choices, default=State.RUNNING)
    error = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.relay} ({self.filter}) from {self.since} to {self.until}: {self.state}"

    @property
    def progress(self) -> Progress:
        return Progress(
            self.since,
            self.until,
            self.unread_until,
            self.events_read,
            self.unreachable_seconds,
            self.unproven_seconds,
        )


class RelayMinute(models.Model):
    """How many events a relay sent in one minute, copies and invalid ones included."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="minutes")
    minute = models.DateTimeField(db_index=True)
    events = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["relay", "minute"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["relay", "minute"], name="one_count_per_minute")
        ]

    def __str__(self) -> str:
        return f"{self.relay} at {self.minute:%Y-%m-%d %H:%M}: {self.events}"


class RejectedHour(models.Model):
    """How many events were not stored for one reason in one hour."""

    reason = models.CharField(max_length=40)
    hour = models.DateTimeField(db_index=True)
    events = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["hour", "reason"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reason", "hour"], name="one_count_per_hour")
        ]

    def __str__(self) -> str:
        return f"{self.reason} at {self.hour:%Y-%m-%d %H}h: {self.events}"


class RejectedEvent(models.Model):
    """A sample of what was not stored; the counts are in the metrics."""

    reason = models.CharField(max_length=40, db_index=True)
    relay_url = models.CharField(max_length=500, blank=True)
    sample = models.TextField(help_text="The beginning of the JSON, made safe to show.")
    seen_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering: ClassVar = ["-seen_at", "-id"]

    def __str__(self) -> str:
        return f"{self.reason} at {self.seen_at:%Y-%m-%d %H:%M:%S}"
