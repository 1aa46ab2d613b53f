"""Finding what a relay has and we have not, however long ago it came there (NIP-77).

Paging from a cursor finds what is dated after it, less an overlap. What a relay took in later than
that with an older date is found here, at a cost that follows the difference. What we have and the
relay has not is of no interest: absence is no deletion.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from ingestion.accepted_ids import AcceptedIds
from ingestion.by_id import BusySeconds, read_ids
from ingestion.dialogue import Dialogue, Patience, Reception, RelayRefused
from ingestion.gaps import Gap, Span
from ingestion.negentropy import Negentropy, NegentropyUnsupported, SpanRefused
from ingestion.paging import UNPROVEN, PageRefused, RelayMisbehaved
from ingestion.pipeline import WantedKinds
from ingestion.relay import RelayGone
from ingestion.sign_in import RelayIdentity
from ingestion.sync import new_pager
from ingestion.visits import Visits

log = structlog.get_logger(__name__)

# Of ours that are compared at once: half a second of work and a few megabytes.
MAX_COMPARED = 10_000
# A span that is refused is halved, but one of so many seconds is read page by page.
SMALLEST_SPAN_SECONDS = 3_600


class ReconciliationIncomplete(Exception):
    """It ended before everything was compared or read; the message says why."""


@dataclass(slots=True)
class Found:
    """What came of it so far."""

    # Ids that the relay has and that were not accepted before; by NIP-77.
    missing: int = 0
    # Of these, ids of which the relay sent no event.
    withheld: int = 0
    spans_compared: int = 0
    # Spans that were read page by page.
    spans_paged: int = 0
    # Of pages: seconds of which the relay has more than it gives, and such as were read only by
    # the kinds and authors that are known.
    unreachable_seconds: int = 0
    unproven_seconds: int = 0

    def numbers(self) -> dict[str, int]:
        return dataclasses.asdict(self)


class RelayReconciliation:
    """With one relay, of one span."""

    def __init__(
        self,
        url: str,
        span: Span,
        *,
        kinds: WantedKinds,
        accepted: AcceptedIds,
        reception: Reception,
        identity: RelayIdentity | None,
        patience: Patience,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.found = Found()
        self._kinds = kinds
        self._accepted = accepted
        self._reception = reception
        self._visits = Visits(
            url, reception=reception, identity=identity, patience=patience, now=now
        )
        # Still to be done, the newest last.
        self._spans: list[Span] = [span]
        self._is_supported: bool | None = None
        self._unreachable: set[int] = set()
        self._unproven: set[int] = set()
        self._pager = new_pager(
            url, kinds, on_unproven=self._unproven.add, on_unreachable=self._unreachable.add
        )
        self._busy_seconds = BusySeconds(url, kinds)

    async def run(self) -> Found:
        """Returns once ClickHouse has what the relay has of the span.

        Raises ReconciliationIncomplete or ClickhouseError.
        """
        try:
            await self._visits.until_done(self._work)
        except (RelayGone, RelayRefused, RelayMisbehaved, PageRefused) as error:
            raise ReconciliationIncomplete(str(error)) from error
        await self._reception.intake.flushed()
        self.found.unreachable_seconds = len(self._unreachable)
        self.found.unproven_seconds = len(self._unproven)
        if self.found.unreachable_seconds or self.found.withheld:
            raise ReconciliationIncomplete("the relay keeps back some of what it says it has")
        if self.found.unproven_seconds:
            raise ReconciliationIncomplete(f"{self.found.unproven_seconds} seconds {UNPROVEN}")
        return self.found

    @contextlib.asynccontextmanager
    async def _negentropy(self) -> AsyncIterator[Negentropy | None]:
        """None where the relay is known not to understand it."""
        if self._is_supported is False:
            yield None
            return
        only = None if self._kinds.only is None else sorted(self._kinds.only)
        async with contextlib.AsyncExitStack() as stack:
            try:
                negentropy = await stack.enter_async_context(Negentropy(self.url, kinds=only))
            except NegentropyUnsupported as error:
                self._give_up_comparing(error)
                yield None
            else:
                yield negentropy

    async def _work(self, dialogue: Dialogue) -> None:
        async with self._negentropy() as negentropy:
            await self._compare(dialogue, negentropy)

    async def _compare(self, dialogue: Dialogue, negentropy: Negentropy | None) -> None:
        if self._is_supported is None and negentropy is not None:
            await self._try(negentropy)
        while self._spans:
            span = self._spans[-1]
            if negentropy is None or not self._is_supported:
                await self._page(dialogue, span)
                continue
            if await self._accepted.count(span) > MAX_COMPARED and _is_divisible(span):
                self._spans[-1:] = _halves(span)
                continue
            try:
                ids = await negentropy.missing(span, await self._accepted.of(span))
            except SpanRefused as error:
                if span[1] - span[0] <= SMALLEST_SPAN_SECONDS:
                    log.warning("span_paged", relay=self.url, span=span, reason=str(error))
                    await self._page(dialogue, span)
                else:
                    log.info("span_halved", relay=self.url, span=span, reason=str(error))
                    self._spans[-1:] = _halves(span)
                continue
            except NegentropyUnsupported as error:
                # It understood before.
                raise RelayGone(str(error)) from error
            withheld = await read_ids(dialogue, ids)
            self._spans.pop()
            self._visits.note_progress()
            self.found.spans_compared += 1
            self.found.missing += len(ids)
            self.found.withheld += len(withheld)
            log.info("span_compared", relay=self.url, span=span, missing=len(ids))

    async def _try(self, negentropy: Negentropy) -> None:
        """Finds out whether the relay compares anything at all."""
        try:
            await negentropy.missing((0, 0), ())
            self._is_supported = True
        except (NegentropyUnsupported, SpanRefused) as error:
            self._give_up_comparing(error)

    def _give_up_comparing(self, error: Exception) -> None:
        self._is_supported = False
        log.warning("negentropy_unsupported", relay=self.url, reason=str(error), instead="paging")

    async def _page(self, dialogue: Dialogue, span: Span) -> None:
        """Reads all of the span; what is cut goes on where it was."""
        gap = Gap(*span)
        await dialogue.watch(gap.since, gap.until, self._kinds.only)
        try:
            await self._pager.walk(
                gap, dialogue.fetch, functools.partial(self._busy_seconds.read, dialogue)
            )
        finally:
            self._spans.pop()
            if not gap.is_closed:
                self._spans.append((gap.since, gap.until))
        self.found.spans_paged += 1


def _is_divisible(span: Span) -> bool:
    return span[0] < span[1]


def _halves(span: Span) -> list[Span]:
    middle = (span[0] + span[1]) // 2
    return [(span[0], middle), (middle + 1, span[1])]
