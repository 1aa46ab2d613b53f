"""What people have read: no event says so, and therefore it is here and not in ClickHouse."""

from __future__ import annotations

from django.db import models


class ReadMark(models.Model):
    """What one person has marked as read of the notifications."""

    pubkey = models.CharField(max_length=64, primary_key=True)
    read_until = models.BigIntegerField(
        default=0, help_text="Unix seconds: all up to then, inclusive, is read."
    )
    read_ids = models.JSONField(
        default=dict,
        blank=True,
        help_text="Single ones after that: {event id: its Unix seconds}.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.pubkey
