"""Which spans of time of a relay are still to be read; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from funnel.nostr import MAX_CREATED_AT


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


class Gaps:
    """The gaps of one relay and filter, disjoint, the newest last.

    They outlive a connection: a catch-up that was cut goes on where it was.
    """

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

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
