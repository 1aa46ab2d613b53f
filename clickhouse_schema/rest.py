"""What the passes of the projector may leave to be written later.

Places of videos in lists, profiles, and the texts that a search looks into: nobody waits for them
as for a count.
"""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import Future
from typing import Any

from clickhouse_schema.beside import Beside
from clickhouse_schema.door import Door
from funnel.sql import load_query

# Later than any clock.
NEVER_MS = 2**63

SQL = {
    name: load_query(__file__, name)
    for name in (
        "count_touched",
        "touch_waiting",
        "touch_texts",
        "project_profiles",
        "project_texts",
        "project_listed_videos",
    )
}


@dataclasses.dataclass(slots=True)
class Waiting:
    """The passes of which something is still to be written, and when that was done last (monotonic
    seconds)."""

    passes: list[int] = dataclasses.field(default_factory=list)
    written_at: float = float("-inf")


class Rest:
    """wait_seconds: how long it may wait. beside: where it is written meanwhile."""

    def __init__(self, door: Door, *, wait_seconds: float, beside: Beside) -> None:
        self.door = door
        self.wait_seconds = wait_seconds
        self.beside = beside
        # The places of videos in lists; profiles and texts; and which of the two is being written
        # beside the passes, for which of them.
        self.lists = Waiting()
        self.names = Waiting()
        self.at_work: tuple[Future[None], Waiting, list[int]] | None = None
        # Nothing settles that arrived after this while something of it waits: whoever takes over
        # has to look at it again.
        self.from_ms = NEVER_MS

    @property
    def waits(self) -> bool:
        """Whether something is still to be written for a pass that is through."""
        return bool(self.lists.passes or self.names.passes)

    def owes_lists(self, this: dict[str, Any]) -> None:
        """The videos of this pass are not in their lists yet."""
        self.lists.passes.append(this["pass"])

    def owes_names(self, this: dict[str, Any]) -> None:
        """The profiles and texts that this pass has touched are not written yet."""
        self.names.passes.append(this["pass"])

    def hold(self, seen_until_ms: int) -> None:
        """After a pass that found what arrived later than this: keeps from settling what waits."""
        if not self.waits:
            self.from_ms = NEVER_MS
        elif self.from_ms == NEVER_MS:
            self.from_ms = seen_until_ms

    def write(self, this: dict[str, Any], *, now: int, afresh: bool = False) -> None:
        """Writes all that waits. afresh: as in `list_videos`."""
        self.take_note()
        self.list_videos(afresh=afresh)
        self.write_names(this, now=now)

    def begin(self, *, now: int, is_idle: bool = False) -> None:
        """Begins to write one thing that has waited for long enough, or for any time where nothing
        else is to be done.

        One: where nothing runs beside the passes, the next counts wait for it.
        """
        if self.at_work:
            return
        due = time.monotonic() - (0 if is_idle else self.wait_seconds)
        overdue = [
            waiting
            for waiting in (self.lists, self.names)
            if waiting.passes and waiting.written_at <= due
        ]
        if not overdue:
            return
        waiting = min(overdue, key=lambda waiting: waiting.written_at)
        passes = list(waiting.passes)
        if waiting is self.lists:
            work = self.beside.begin(lambda: self.project_lists(passes))
        else:
            work = self.beside.begin(
                lambda: self.project_names({"pass": passes[-1]}, passes, now=now)
            )
        self.at_work = work, waiting, passes
        self.take_note(wait=False)

    def take_note(self, *, wait: bool = True) -> None:
        """Notes what has been written beside the passes. Raises what has kept it from being."""
        if not self.at_work:
            return
        work, waiting, passes = self.at_work
        if wait or work.done():
            self.at_work = None
            work.result()
            waiting.passes = [number for number in waiting.passes if number not in passes]
            waiting.written_at = time.monotonic()

    def list_videos(self, *, afresh: bool = False) -> None:
        """Puts the videos that are computed and not in the lists yet where they belong now.

        afresh: also takes them out of whatever place a pass that broke or another projector may
        have left behind.
        """
        if self.lists.passes:
            self.project_lists(self.lists.passes, afresh=afresh)
        self.lists = Waiting(written_at=time.monotonic())

    def write_names(
        self, this: dict[str, Any], *, now: int, follow: bool = True, unchanged_texts: bool = False
    ) -> None:
        """Writes the rows of the touched profiles and of the texts that a search looks into, those
        that wait included; the rest as `project_names`."""
        self.project_names(
            this, self.names.passes, now=now, follow=follow, unchanged_texts=unchanged_texts
        )
        self.names = Waiting(written_at=time.monotonic())

    def project_lists(self, passes: list[int], *, afresh: bool = False) -> None:
        self.door.execute(SQL["project_listed_videos"], {"passes": passes, "afresh": afresh})

    def project_names(
        self,
        this: dict[str, Any],
        passes: list[int],
        *,
        now: int,
        follow: bool = True,
        unchanged_texts: bool = False,
    ) -> None:
        """Writes the rows of the profiles and texts that this pass and these have touched.

        follow: whether the texts of those whose profiles are touched change with them;
        unchanged_texts: also those texts that are the same as before.
        """
        at = this | {"now": now}
        if others := [number for number in passes if number != this["pass"]]:
            self.door.execute(SQL["touch_waiting"], this | {"passes": others})
        touched = self.door.select(SQL["count_touched"], this)[0]
        if touched["profiles"]:
            if follow:
                self.door.execute(SQL["touch_texts"], this)
            self.door.execute(SQL["project_profiles"], at)
        if touched["texts"] or (touched["profiles"] and follow):
            # After the profiles and the videos, of which they are made.
            self.door.execute(SQL["project_texts"], at | {"unchanged_too": unchanged_texts})
