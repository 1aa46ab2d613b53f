"""Operations state: the relays, how far each one is synced, and samples of what was rejected."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Relay(models.Model):
    """A relay that a worker reads, and what the worker last said of it."""

    class State(models.TextChoices):
        CONNECTING = "connecting"
        CATCHING_UP = "catching_up", "catching up"
        LIVE = "live"
        REFUSED = "refused"
        STOPPED = "stopped"

    url = models.CharField(max_length=500, unique=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.STOPPED)
    state_changed_at = models.DateTimeField(auto_now=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["url"]

    def __str__(self) -> str:
        return self.url


class SyncCursor(models.Model):
    """Everything of the filter up to `synced_until` is read from the relay and in ClickHouse."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="cursors")
    filter = models.TextField(help_text="The kinds that are asked for.")
    synced_until = models.BigIntegerField(help_text="Unix seconds, inclusive.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["relay", "filter"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["relay", "filter"], name="one_cursor_per_filter")
        ]

    def __str__(self) -> str:
        return f"{self.relay} ({self.filter}): {self.synced_until}"


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
