"""How far a backfill has come, how fast, and how long it will take; pure."""

from __future__ import annotations

from dataclasses import dataclass

# The oldest events that Nostr can have; what claims to be older is read, but is no progress.
NOSTR_BEGAN_AT = 1_604_707_200


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill has come; times of events in Unix seconds."""

    since: int
    until: int
    # All after it is in ClickHouse.
    unread_until: int
    # Copies included.
    events_read: int
    # Seconds of which the relay holds more than it can be brought to give.
    unreachable_seconds: int
    # Seconds that were read by the kinds and authors that are known, of which it may hold more.
    unproven_seconds: int = 0

    @property
    def is_at_end(self) -> bool:
        return self.unread_until < self.since

    def fraction(self, now: float) -> float:
        """The part of the span's time that is read, from 0 to 1; nobody knows the events'."""
        newest = min(self.until, int(now))
        oldest = min(max(self.since, NOSTR_BEGAN_AT), newest)
        if self.is_at_end:
            return 1.0
        if newest == oldest:
            return 0.0
        return min(1.0, max(0.0, (newest - self.unread_until) / (newest - oldest)))


@dataclass(frozen=True, slots=True)
class Pace:
    """What one process has done since it began, to tell what it will need."""

    began_at: float
    began_with: Progress

    def events_per_second(self, progress: Progress, now: float) -> float:
        seconds = now - self.began_at
        return (progress.events_read - self.began_with.events_read) / seconds if seconds > 0 else 0

    def remaining_seconds(self, progress: Progress, now: float) -> float | None:
        """As if the events were spread evenly over time; None before anything is known."""
        done = progress.fraction(now)
        gained = done - self.began_with.fraction(now)
        if gained <= 0:
            return None
        return (now - self.began_at) * (1 - done) / gained
