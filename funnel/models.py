"""What all workers of the API have to remember together."""

from __future__ import annotations

from django.db import models


class UsedProof(models.Model):
    """A signature that has proved somebody once, for as long as it could be shown again."""

    event_id = models.CharField(max_length=64, primary_key=True)
    used_at = models.BigIntegerField(db_index=True, help_text="Unix seconds.")

    def __str__(self) -> str:
        return self.event_id
