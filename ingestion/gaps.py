"""Which spans of time of a relay are still to be read; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from funnel.nostr import MAX_CREATED_AT

# The first and the last second of `created_at`, both included.
Span = tuple[int, int]


@dataclass(slots=True)
class Gap:
    """A span of `created_at`, both ends included, that shrinks from its newer end as it is read."""

    since: int
    until: int

    @property
    def is_closed(self) -> bool:
        return self.until < self.since

    def close(self) -> None:
        self.until = self.since - 1


@dataclass(frozen=True, slots=True)
class Synced:
    """How far a relay is read: everything from `since` to `until` but the `gaps`, oldest first.

    Unix seconds, inclusive. `until` is a moment at which reading began, and no event's date.
    `reread_since`: from there on everything is to be read once more, since events that are dated
    back may have come; None where that is done.
    """

    since: int
    until: int
    gaps: tuple[Span, ...] = ()
    reread_since: int | None = None

    def ranges(self) -> list[Span]:
        """The spans of which everything is read, oldest first."""
        ranges = []
        begin = self.since
        for since, until in self.gaps:
            if begin < since:
                ranges.append((begin, min(since - 1, self.until)))
            begin = max(begin, until + 1)
        if begin <= self.until:
            ranges.append((begin, self.until))
        return ranges


class Gaps:
    """The gaps of one relay and filter, disjoint, the newest last.

    They outlive a connection, and a process where they are saved: a catch-up that was cut goes on
    where it was.
    """

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._gaps = [Gap(since, until) for since, until in spans]

    def open(self, since: int) -> None:
        """From `since` on, everything is to be read (again)."""
        for gap in self._gaps:
            gap.until = min(gap.until, since - 1)
        self._gaps = [gap for gap in self._gaps if not gap.is_closed]
        self._gaps.append(Gap(since, MAX_CREATED_AT))

    def newest_first(self) -> Iterator[Gap]:
        """The gaps that are still open; each may be shrunk or closed by the caller on the way."""
        while self._gaps:
            yield self._gaps[-1]
            if not self._gaps[-1].is_closed:
                return
            self._gaps.pop()

    def spans(self) -> tuple[Span, ...]:
        """What is still to be read, oldest first."""
        return tuple((gap.since, gap.until) for gap in self._gaps if not gap.is_closed)
