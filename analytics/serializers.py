"""What the analytics endpoints answer (described; rows go out as they are)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Totals(serializers.Serializer[Any]):
    total_events = serializers.IntegerField(
        help_text="Distinct events in effect, superseded and deleted ones included."
    )
    total_videos = serializers.IntegerField(help_text="Live videos, each address once.")
    vine_videos = serializers.IntegerField(help_text="Those of them imported from Vine.")
