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
    # What may gather while an insert is under way, as a multiple of the above.
    growth: int = 10


class Batch:
    """What one INSERT will hold. Times are seconds of any monotonic clock, given by the caller."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._started_at: float | None = None
        self.events: list[Accepted] = []
        self.bytes = 0

    def __len__(self) -> int:
        return len(self.events)

    def add(self, accepted: Accepted, now: float) -> None:
        if self._started_at is None:
            self._started_at = now
        self.events.append(accepted)
        self.bytes += accepted.size

    def due_in(self, now: float) -> float | None:
        """Seconds until the batch ought to go: 0 when it is due, None while it is empty."""
        if self._started_at is None:
            return None
        if len(self.events) >= self._limits.rows or self.bytes >= self._limits.bytes:
            return 0.0
        return max(0.0, self._started_at + self._limits.age_seconds - now)

    @property
    def is_full(self) -> bool:
        """Whether no more may be added before the batch has gone."""
        limits = self._limits
        return (
            len(self.events) >= limits.rows * limits.growth
            or self.bytes >= limits.bytes * limits.growth
        )


def deduplication_token(events: Sequence[Accepted]) -> str:
    """The same for the same events in the same order: ClickHouse knows a repeated insert by it."""
    digest = hashlib.sha256()
    for accepted in events:
        digest.update(bytes.fromhex(accepted.event.id))
    return digest.hexdigest()
