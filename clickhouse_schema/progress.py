"""Tells how far long work is: one line that changes on a terminal, else lines of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

import structlog

log = structlog.get_logger(__name__)

# The log gets a line that often at most, and one for the end of each part.
LOG_SECONDS = 10.0


class ProgressReport:
    """Called with what is at work, how much of it is done, and how much there is.

    out: where the terminal's line is written, if it is one. clock: seconds that only grow.
    """

    def __init__(self, out: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.out = out
        self.clock = clock
        self.what = ""
        self.began = self.logged = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self.clock()
        if what != self.what:
            self.what, self.began, self.logged = what, now, now
        rate = done / (now - self.began) if now > self.began else 0.0
        remaining_seconds = round((total - done) / rate) if rate else None
        if self.out.isatty():
            left = "" if remaining_seconds is None else f", {remaining_seconds:,} s left"
            end = "\n" if done >= total else ""
            self.out.write(f"\r\x1b[K{what}: {done:,} of {total:,}, {rate:,.0f}/s{left}{end}")
            self.out.flush()
        elif done >= total or now - self.logged >= LOG_SECONDS:
            self.logged = now
            log.info(
                "rebuild_progressed",
                what=what,
                done=done,
                total=total,
                per_second=round(rate),
                remaining_seconds=remaining_seconds,
            )
