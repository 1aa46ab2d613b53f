"""Keeping up with one relay: live events, and everything that was missed, after every connection.

The live subscription is for freshness. What is proven to be complete is proven by paging: after
each (re)connect, and from time to time on a connection that stands, since a relay may drop live
events for a slow reader without a word. Only a finished catch-up, all of it acknowledged by
ClickHouse, moves the cursor: to the moment at which it began.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ingestion import backoff, messages, metrics
from ingestion.gaps import Gaps
from ingestion.intake import Intake
from ingestion.messages import (
    AuthMessage,
    ClosedMessage,
    EoseMessage,
    EventMessage,
    Filter,
    NoticeMessage,
    OkMessage,
    reason_prefix,
)
from ingestion.metrics import EventTally
from ingestion.models import Relay
from ingestion.paging import Page, Pager, PageRefused, RelayMisbehaved
from ingestion.pipeline import Accepted, Pipeline, Rejected, WantedKinds
from ingestion.rejected import RejectedSamples
from ingestion.relay import RelayConnection, RelayGone, connected
from ingestion.sign_in import RelayIdentity

log = structlog.get_logger(__name__)

LIVE = "live"
UNREADABLE_FRAME = "unreadable_frame"


class RelayRefused(Exception):
    """The relay does not serve us, and asking again at once will not change that."""


class Book(Protocol):
    """Where a relay's cursor and state are kept."""

    async def load_cursor(self) -> int | None: ...

    async def save_cursor(self, synced_until: int) -> None: ...

    async def save_state(self, state: Relay.State, error: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class SyncTimes:
    """All in seconds."""

    # How far before the cursor a new connection starts: relays accept backdated events.
    catchup_overlap: int = 2 * 24 * 3600
    # How often a standing connection is swept for live events that did not come, and how far back.
    sweep_every: float = 300.0
    sweep_overlap: int = 120
    # A page whose relay is silent for so long is asked for again.
    page_silence: float = 30.0
    page_attempts: int = 3
    sign_in: float = 10.0
    reconnect_first: float = 1.0
    reconnect_longest: float = 60.0
    refused: float = 60.0


class _Answer(enum.Enum):
    EOSE = enum.auto()
    CLOSED = enum.auto()
    SILENCE = enum.auto()


class _Question:
    """A REQ that is waiting for its EOSE or CLOSED."""

    __slots__ = ("ended", "page")

    def __init__(self, page: Page) -> None:
        self.page = page
        # Its result: None for an EOSE, the message for a CLOSED.
        self.ended: asyncio.Future[ClosedMessage | None] = (
            asyncio.get_running_loop().create_future()
        )

    def end(self, closed: ClosedMessage | None) -> None:
        if not self.ended.done():
            self.ended.set_result(closed)


class RelaySync:
    """One relay, for as long as the worker runs."""

    def __init__(
        self,
        url: str,
        *,
        kinds: WantedKinds,
        pipeline: Pipeline,
        intake: Intake,
        tally: EventTally,
        samples: RejectedSamples,
        book: Book,
        identity: RelayIdentity | None,
        times: SyncTimes,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        # Set at the end of the first catch-up that was complete and acknowledged.
        self.caught_up = asyncio.Event()
        # While the relay does not serve us; it is asked again from time to time.
        self.is_refused = False
        self._kinds = kinds
        self._pipeline = pipeline
        self._intake = intake
        self._tally = tally
        self._samples = samples
        self._book = book
        self._identity = identity
        self._times = times
        self._now = now
        self._log = log.bind(relay=url)
        self._gaps = Gaps()
        self._pager = Pager(
            kinds=kinds.only,
            on_crowded=self._report_crowded,
            on_unreachable=self._report_unreachable,
        )
        # Whatever was created before is synced, or in a gap that is still open.
        self._known_until: int | None = None
        self._delays = self._new_delays()
        self._questions: dict[str, _Question] = {}
        self._questions_asked = 0
        self._sign_in_id = ""
        self._is_signed_in = asyncio.Event()

    async def run(self) -> None:
        """Connects again and again, until it is cancelled."""
        self._known_until = await self._book.load_cursor()
        metrics.CAUGHT_UP.labels(self.url).set(0)
        while True:
            await self._book.save_state(Relay.State.CONNECTING)
            try:
                async with connected(self.url) as relay:
                    await self._session(relay)
            except RelayRefused as error:
                self.is_refused = True
                delay = self._times.refused
                self._log.error("relay_refused", reason=str(error), retry_seconds=delay)
                await self._book.save_state(Relay.State.REFUSED, str(error))
            except (RelayGone, RelayMisbehaved, PageRefused) as error:
                delay = next(self._delays)
                self._log.warning("relay_lost", reason=str(error), retry_seconds=round(delay, 1))
                await self._book.save_state(Relay.State.CONNECTING, str(error))
            metrics.RECONNECTS.labels(self.url).inc()
            metrics.CAUGHT_UP.labels(self.url).set(0)
            await asyncio.sleep(delay)

    def _new_delays(self) -> Iterator[float]:
        return backoff.delays(self._times.reconnect_first, self._times.reconnect_longest)

    # --- One connection ---------------------------------------------------------------------------

    async def _session(self, relay: RelayConnection) -> None:
        """Reads and stays in sync until one of the two raises."""
        self._questions.clear()
        self._is_signed_in.clear()
        await _until_first_ends(self._read(relay), self._stay_in_sync(relay))

    async def _read(self, relay: RelayConnection) -> None:
        """The one reader: takes in events and hands everything else to who waits for it."""
        async for message in relay.messages():
            if type(message) is EventMessage:
                self._take(message)
                if self._intake.is_full:
                    await self._intake.room()
            elif type(message) is EoseMessage:
                if question := self._questions.get(message.subscription):
                    question.end(None)
            elif type(message) is ClosedMessage:
                self._hear_closed(message)
            elif type(message) is AuthMessage:
                await self._sign_in(relay, message.challenge)
            elif type(message) is OkMessage:
                self._hear_ok(message)
            elif type(message) is NoticeMessage:
                self._log.info("relay_noticed", text=message.text[:200])
            else:
                self._tally.reject(UNREADABLE_FRAME)

    def _take(self, message: EventMessage) -> None:
        raw = message.event
        self._tally.receive(raw)
        verdict = self._pipeline.judge(raw, message.size)
        if type(verdict) is Accepted:
            self._intake.put(verdict)
        elif type(verdict) is Rejected:
            self._tally.reject(verdict.reason)
            self._samples.offer(verdict.reason, self.url, raw)
        else:
            self._tally.recognise_duplicate()
        if question := self._questions.get(message.subscription):
            question.page.note(raw)

    def _hear_closed(self, closed: ClosedMessage) -> None:
        reason = reason_prefix(closed.text)
        shown = reason if reason in metrics.CLOSED_REASONS else "other"
        metrics.SUBSCRIPTIONS_CLOSED.labels(self.url, shown).inc()
        self._log.warning(
            "subscription_closed", subscription=closed.subscription, text=closed.text[:200]
        )
        if question := self._questions.get(closed.subscription):
            question.end(closed)
        elif closed.subscription == LIVE:
            # What comes until it is open again is missed: a new connection catches up.
            raise RelayGone(f"live subscription closed: {closed.text[:200]}")

    # --- Catching up ------------------------------------------------------------------------------

    async def _stay_in_sync(self, relay: RelayConnection) -> None:
        await self._book.save_state(Relay.State.CATCHING_UP)
        # Before the first page, so that no moment lies between the two.
        await self._open_live(relay)
        await self._catch_up(relay, overlap=self._times.catchup_overlap)
        await self._book.save_state(Relay.State.LIVE)
        while True:
            await asyncio.sleep(self._times.sweep_every)
            await self._catch_up(relay, overlap=self._times.sweep_overlap)

    async def _open_live(self, relay: RelayConnection) -> None:
        filters: list[Filter] = [{"limit": 0}]
        if self._kinds.only is not None:
            filters = [{"kinds": sorted(self._kinds.only), "limit": 0}]
        else:
            # Some relays give nothing for a filter that names no condition.
            filters.append({"since": 1, "limit": 0})
        for _ in range(self._times.page_attempts):
            answer = await self._ask(relay, LIVE, filters, Page(0, 0))
            if answer is not _Answer.CLOSED:
                return  # silence too: what does not come by it comes by the next sweep
        raise RelayGone("the live subscription was closed again and again")

    async def _catch_up(self, relay: RelayConnection, *, overlap: int) -> None:
        """Reads every gap up to now, and then moves the cursor to now."""
        began_at = int(self._now())
        since = 0 if self._known_until is None else min(self._known_until, began_at) - overlap
        self._gaps.open(max(0, since))
        self._known_until = began_at
        asked_before = self._questions_asked

        async def fetch(asked: Filter, since: int, until: int) -> Page:
            return await self._fetch(relay, asked, since, until)

        for gap in self._gaps.newest_first():
            await self._pager.walk(gap, fetch)
        await self._intake.flushed()
        await self._book.save_cursor(began_at)

        metrics.CURSOR.labels(self.url).set(began_at)
        metrics.CAUGHT_UP.labels(self.url).set(1)
        self.is_refused = False
        self._delays = self._new_delays()
        self.caught_up.set()
        self._log.info(
            "relay_caught_up",
            since=max(0, since),
            pages=self._questions_asked - asked_before,
            seconds=round(self._now() - began_at, 1),
        )

    async def _fetch(self, relay: RelayConnection, asked: Filter, since: int, until: int) -> Page:
        """One page up to its true EOSE: after a CLOSED or a silence it is asked for again."""
        for _ in range(self._times.page_attempts):
            self._questions_asked += 1
            page = Page(since, until)
            answer = await self._ask(relay, f"page-{self._questions_asked}", [asked], page)
            if answer is _Answer.EOSE:
                return page
        raise RelayGone("a page got no EOSE")

    async def _ask(
        self, relay: RelayConnection, subscription: str, filters: list[Filter], page: Page
    ) -> _Answer:
        """Sends the REQ and waits for what ends it, doing what a CLOSED asks for.

        Raises RelayRefused or PageRefused where asking again would not help.
        """
        question = self._questions[subscription] = _Question(page)
        try:
            await relay.send(messages.req(subscription, *filters))
            closed = await self._end_of(question, relay)
        except TimeoutError:
            metrics.PAGES_TIMED_OUT.labels(self.url).inc()
            self._log.warning("relay_silent", subscription=subscription, events=page.total)
            answer = _Answer.SILENCE
        else:
            answer = _Answer.EOSE if closed is None else _Answer.CLOSED
        finally:
            del self._questions[subscription]
        if answer is _Answer.CLOSED and closed is not None:
            await self._answer_closed(closed)
        elif subscription != LIVE:
            await relay.send(messages.close(subscription))
        return answer

    async def _end_of(self, question: _Question, relay: RelayConnection) -> ClosedMessage | None:
        """Raises TimeoutError when the relay sends nothing of the page while we listen."""
        while True:
            total = question.page.total
            await asyncio.wait({question.ended}, timeout=self._times.page_silence)
            if question.ended.done():
                return question.ended.result()
            if relay.is_waiting and question.page.total == total:
                raise TimeoutError

    async def _answer_closed(self, closed: ClosedMessage) -> None:
        """Does what the reason asks for (NIP-01, NIP-42), so that the REQ can be repeated."""
        reason = reason_prefix(closed.text)
        if reason == "auth-required":
            if self._identity is None:
                raise RelayRefused("the relay wants a sign-in and RELAY_SECRET_KEY is not set")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._times.sign_in):
                    await self._is_signed_in.wait()
        elif reason in {"restricted", "blocked"}:
            raise RelayRefused(closed.text[:200])
        elif reason in {"invalid", "unsupported"}:
            raise PageRefused(closed.text[:200])
        else:
            await asyncio.sleep(next(self._delays))

    def _report_crowded(self, second: int) -> None:
        metrics.CROWDED_SECONDS.labels(self.url).inc()
        self._log.warning("second_larger_than_a_page", created_at=second)

    def _report_unreachable(self, second: int) -> None:
        metrics.UNREACHABLE_SECONDS.labels(self.url).inc()
        self._log.error("events_unreachable", created_at=second)

    # --- Signing in (NIP-42) ----------------------------------------------------------------------

    async def _sign_in(self, relay: RelayConnection, challenge: str) -> None:
        if self._identity is None:
            self._log.info("sign_in_not_possible", missing="RELAY_SECRET_KEY")
            return
        self._is_signed_in.clear()
        answer = self._identity.answer(self.url, challenge, int(self._now()))
        self._sign_in_id = answer["id"]
        await relay.send(messages.auth(answer))

    def _hear_ok(self, answer: OkMessage) -> None:
        if answer.event_id != self._sign_in_id:
            return
        if not answer.accepted:
            raise RelayRefused(f"sign-in refused: {answer.text[:200]}")
        self._log.info("signed_in")
        self._is_signed_in.set()


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
