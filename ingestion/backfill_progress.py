"""How a backfill's progress is told: bars on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self, TextIO

import structlog
from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from ingestion.progress import Pace, Progress

log = structlog.get_logger(__name__)

LINE_EVERY_SECONDS = 10.0


class ProgressLines:
    """One log line for each relay from time to time, and one at its end."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._paces: dict[str, Pace] = {}
        self._told_at: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left to be done."""

    def __call__(self, url: str, progress: Progress) -> None:
        now = self._now()
        pace = self._paces.setdefault(url, Pace(now, progress))
        fraction = progress.fraction(now)
        if fraction < 1 and now - self._told_at.get(url, float("-inf")) < LINE_EVERY_SECONDS:
            return
        self._told_at[url] = now
        remaining = pace.remaining_seconds(progress, now)
        log.info(
            "backfill_progressed",
            relay=url,
            percent=round(100 * fraction, 1),
            unread_until=progress.unread_until,
            events=progress.events_read,
            events_per_second=round(pace.events_per_second(progress, now)),
            remaining_seconds=None if remaining is None else round(remaining),
        )


class ProgressBars:
    """A bar for each relay, on standard error."""

    def __init__(self, now: Callable[[], float], console: Console | None = None) -> None:
        self._now = now
        self._paces: dict[str, Pace] = {}
        self._tasks: dict[str, TaskID] = {}
        self._handlers: list[logging.StreamHandler[TextIO]] = []
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            console=console or Console(stderr=True),
        )

    def __enter__(self) -> Self:
        before = sys.stderr
        self._bars.start()
        # Log lines go above the bars and not through them.
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                handler.setStream(sys.stderr)
                self._handlers.append(handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
        for handler in self._handlers:
            handler.setStream(sys.stderr)

    def __call__(self, url: str, progress: Progress) -> None:
        now = self._now()
        pace = self._paces.setdefault(url, Pace(now, progress))
        if url not in self._tasks:
            self._tasks[url] = self._bars.add_task(url, total=1.0, told="")
        told = (
            f"back to {_date(progress.unread_until)}, {progress.events_read:,} events,"
            f" {pace.events_per_second(progress, now):,.0f}/s"
        )
        if remaining := pace.remaining_seconds(progress, now):
            told += f", about {timedelta(seconds=round(remaining))} left"
        self._bars.update(self._tasks[url], completed=progress.fraction(now), told=told)


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(max(0, seconds), UTC):%Y-%m-%d}"
