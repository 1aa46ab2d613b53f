"""Runs the projector's passes one after the other, and says how that goes."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import structlog

from clickhouse_schema import metrics
from clickhouse_schema.projector import Projector
from funnel.clickhouse import ClickhouseError

log = structlog.get_logger(__name__)

# When nothing has come for so long …
QUIET_SECONDS = 2.0
# … it rests so long at least: nobody should pay for looking.
QUIET_REST_SECONDS = 0.25
# How long a failed pass waits before the next one.
RETRY_SECONDS = 2.0
# Further behind than this, answers are not what they should be.
STALE_SECONDS = 60.0
# No pass takes so long: each of its statements has a limit of its own.
HUNG_SECONDS = 900.0


class Keeper:
    """Keeps the read model current for as long as it runs; one thread runs it, any may ask."""

    def __init__(
        self,
        projector: Projector,
        *,
        rest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """rest_seconds: the pause after a pass that has found nothing new."""
        self._projector = projector
        self._rest_seconds = rest_seconds
        self._clock = clock
        # All that had arrived by then is in the answers.
        self._covered_until = self._turned_at = clock()
        self._quiet_from = clock()
        self._failure = ""
        metrics.AGE.set_function(self.age_seconds)

    def age_seconds(self) -> float:
        """How old the read model is at most; before the first pass, since the start."""
        return self._clock() - self._covered_until

    def health(self) -> list[str]:
        """What shows that it hangs, in a few words each."""
        silence = self._clock() - self._turned_at
        return [f"no sign of life for {silence:.0f} s"] if silence > HUNG_SECONDS else []

    def obstacles(self) -> list[str]:
        """What keeps the answers from being current, in a few words each."""
        obstacles = [self._failure] if self._failure else []
        if self.age_seconds() > STALE_SECONDS:
            obstacles.append(f"{self.age_seconds():.0f} s behind")
        return self.health() + obstacles

    def run(self, stopping: threading.Event) -> None:
        """Until `stopping` is set; a pass that fails is tried again."""
        while not stopping.is_set():
            stopping.wait(self.turn())

    def turn(self) -> float:
        """One pass; how many seconds to rest after it."""
        self._turned_at = self._clock()
        # One id for all statements of the pass, in the log and in system.query_log.
        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex):
            try:
                result = self._projector.run_pass(now=int(time.time()))
            except ClickhouseError as error:
                metrics.FAILURES.labels(type(error).__name__).inc()
                self._failure = str(error)
                log.warning("pass_failed", error=str(error), cause=str(error.__cause__))
                return RETRY_SECONDS
        self._failure = ""
        self._covered_until = self._turned_at - result.behind_seconds
        metrics.PASS_SECONDS.observe(result.seconds)
        metrics.EVENTS.inc(result.events)
        if result.events:
            self._quiet_from = self._clock() + QUIET_SECONDS
            # While it ran, the next insert may have come to its end.
            return 0
        if self._clock() < self._quiet_from:
            return self._rest_seconds
        return max(self._rest_seconds, QUIET_REST_SECONDS)
