"""Events on their way to ClickHouse, and when it is time for them to go; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.pipeline import Accepted


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is due (rows, bytes or age of its first event) and when it takes no more."""

    rows: int = 1000
    bytes: int = 4 * 2**20
    age_seconds: float = 0.1
    # From one batch's leaving to the next one's, unless it is full: an insert runs through some
    # twenty materialized views, so one of a few rows costs ClickHouse as much as one of a thousand.
    spacing_seconds: float = 0.5
    # What may gather meanwhile, as a multiple of `rows` and `bytes`.
    growth: int = 10


class Batch:
    """What one INSERT will hold. Times are seconds of any monotonic clock, given by the caller.

    After a rest a batch goes when its first event is old enough, so a lone event is fresh; under
    load it gathers for the whole of `spacing_seconds`, so the more comes the larger it is.
    """

    def __init__(self, limits: BatchLimits, previous_went_at: float | None = None) -> None:
        self._limits = limits
        self._not_before = (
            float("-inf") if previous_went_at is None else previous_went_at + limits.spacing_seconds
        )
        self._started_at: float | None = None
        self.events: list[Accepted] = []
        self.bytes = 0
        # Kept and not computed: they are asked for several times for each event.
        # Whether an INSERT is worth its cost, so that its events have no need to wait.
        self.is_large = False
        # Whether no more may be added before the batch has gone.
        self.is_full = False

    def __len__(self) -> int:
        return len(self.events)

    def add(self, accepted: Accepted, now: float) -> None:
        if self._started_at is None:
            self._started_at = now
        self.events.append(accepted)
        self.bytes += accepted.size
        limits = self._limits
        rows = len(self.events)
        if rows >= limits.rows or self.bytes >= limits.bytes:
            self.is_large = True
            self.is_full = (
                rows >= limits.rows * limits.growth or self.bytes >= limits.bytes * limits.growth
            )

    def due_in(self, now: float, *, is_awaited: bool = False) -> float | None:
        """Seconds until the batch ought to go: 0 when it is due, None while it is empty.

        is_awaited: somebody waits for it, so its events need not wait for others.
        """
        if self._started_at is None:
            return None
        if self.is_full:
            return 0.0
        ready_at = self._started_at
        if not (is_awaited or self.is_large):
            ready_at += self._limits.age_seconds
        return max(0.0, ready_at - now, self._not_before - now)


def deduplication_token(events: Sequence[Accepted], *, salt: bytes) -> str:
    """ClickHouse knows a repeated insert by it: the same for the same events in the same order.

    salt: of the process that repeats. Another one's insert may have reached a part of the tables
    long ago; with a token of its own it reaches all of them, at the time that it comes.
    """
    digest = hashlib.sha256(salt)
    for accepted in events:
        digest.update(bytes.fromhex(accepted.event.id))
    return digest.hexdigest()
