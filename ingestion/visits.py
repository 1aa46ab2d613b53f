"""One connection to a relay after another, until what is to be done there is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from ingestion.dialogue import Dialogue, Patience, Reception, RelayRefused
from ingestion.paging import PageRefused, RelayMisbehaved
from ingestion.relay import RelayGone, connected
from ingestion.sign_in import RelayIdentity

log = structlog.get_logger(__name__)

# Connections in a row that bring nothing before a task with an end is given up.
MAX_FUTILE_VISITS = 8

VisitFailed = RelayGone | RelayRefused | RelayMisbehaved | PageRefused
Work = Callable[[Dialogue], Coroutine[Any, Any, None]]


class Visits:
    """To one relay."""

    def __init__(
        self,
        url: str,
        *,
        reception: Reception,
        identity: RelayIdentity | None,
        patience: Patience,
        now: Callable[[], float],
    ) -> None:
        self._url = url
        self._reception = reception
        self._identity = identity
        self._patience = patience
        self._now = now
        self._delays = patience.delays()
        self._futile = 0

    async def until_done(
        self, work: Work, after_failure: Callable[[VisitFailed], Awaitable[float]] | None = None
    ) -> None:
        """Has `work` done on a connection, and after a failure on a new one, until it returns.

        `after_failure` gives the seconds to wait before the next one, or raises to end. Without it
        a relay that is gone is tried again until that is futile, and any other failure ends it.
        """
        after_failure = after_failure or self._wait_if_gone
        while True:
            try:
                await self._visit(work)
            except (RelayGone, RelayRefused, RelayMisbehaved, PageRefused) as error:
                delay = await after_failure(error)
            else:
                return
            await asyncio.sleep(delay)

    def note_progress(self) -> None:
        """What fails next is not slowed down by what failed before. A page that is read does it."""
        self._futile = 0
        self._delays = self._patience.delays()

    def next_delay(self, error: VisitFailed) -> float:
        """Seconds, longer each time that nothing was brought; the log is told why."""
        delay = next(self._delays)
        log.warning("relay_lost", relay=self._url, reason=str(error), retry_seconds=round(delay, 1))
        return delay

    async def _visit(self, work: Work) -> None:
        self._futile += 1
        async with connected(self._url) as relay:
            dialogue = Dialogue(
                relay,
                self._url,
                reception=self._reception,
                identity=self._identity,
                patience=self._patience,
                now=self._now,
            )
            try:
                await _until_first_ends(dialogue.listen(), work(dialogue))
            finally:
                if dialogue.pages_read:
                    self.note_progress()

    async def _wait_if_gone(self, error: VisitFailed) -> float:
        if not isinstance(error, RelayGone) or self._futile >= MAX_FUTILE_VISITS:
            raise error
        return self.next_delay(error)


async def _until_first_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Runs them side by side; when one ends or raises, so do the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
