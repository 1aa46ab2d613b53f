"""One connection's dialogue with a relay: what is asked, what is answered, and signing in."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from funnel.nostr import MAX_CREATED_AT
from ingestion import backoff, messages, metrics
from ingestion.intake import Intake
from ingestion.messages import (
    AuthMessage,
    ClosedMessage,
    EoseMessage,
    EventMessage,
    Filter,
    NoticeMessage,
    OkMessage,
    RelayMessage,
    reason_prefix,
)
from ingestion.metrics import EventTally
from ingestion.paging import Page, PageRefused
from ingestion.pipeline import NOT_WANTED, Accepted, Pipeline, Rejected
from ingestion.rejected import RejectedSamples
from ingestion.relay import RelayConnection, RelayGone
from ingestion.shared_ids import SharedIds
from ingestion.sign_in import RelayIdentity

log = structlog.get_logger(__name__)

LIVE = "live"
UNREADABLE_FRAME = "unreadable_frame"

P = TypeVar("P", bound=Page)


class RelayRefused(Exception):
    """The relay does not serve us, and asking again at once will not change that."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a relay is waited for; all in seconds."""

    # A page whose relay is silent for so long is asked for again.
    page_silence: float = 30.0
    page_attempts: int = 3
    sign_in: float = 10.0
    reconnect_first: float = 1.0
    reconnect_longest: float = 60.0

    def delays(self) -> Iterator[float]:
        return backoff.delays(self.reconnect_first, self.reconnect_longest)


@dataclass(frozen=True, slots=True)
class Reception:
    """Where what relays send goes; shared by all that one process reads."""

    pipeline: Pipeline
    intake: Intake
    tally: EventTally
    samples: RejectedSamples
    shared_ids: SharedIds | None = None


class _Answer(enum.Enum):
    EOSE = enum.auto()
    CLOSED = enum.auto()
    SILENCE = enum.auto()


class _Question:
    """A REQ that is waiting for its EOSE or CLOSED; the live one has no page."""

    __slots__ = ("ended", "page")

    def __init__(self, page: Page | None) -> None:
        self.page = page
        # Its result: None for an EOSE, the message for a CLOSED.
        self.ended: asyncio.Future[ClosedMessage | None] = (
            asyncio.get_running_loop().create_future()
        )

    def end(self, closed: ClosedMessage | None) -> None:
        """What comes first counts."""
        if not self.ended.done():
            self.ended.set_result(closed)


class Dialogue:
    """With one relay over one connection."""

    def __init__(
        self,
        relay: RelayConnection,
        url: str,
        *,
        reception: Reception,
        identity: RelayIdentity | None,
        patience: Patience,
        now: Callable[[], float],
    ) -> None:
        self._relay = relay
        self._url = url
        self._reception = reception
        self._identity = identity
        self._patience = patience
        self._now = now
        self._log = log.bind(relay=url)
        self._delays = patience.delays()
        self._questions: dict[str, _Question] = {}
        self._sign_in_id = ""
        self._is_signed_in = asyncio.Event()
        # REQs for stored events, and those of them that got an EOSE.
        self.pages_asked = 0
        self.pages_read = 0

    async def listen(self) -> None:
        """The one reader: takes in events and hands everything else to who waits for it.

        Ends by raising RelayGone or RelayRefused.
        """
        stream = self._relay.messages()
        if self._reception.shared_ids is not None:
            stream = self._reception.shared_ids.ahead_of(stream)
        async with contextlib.aclosing(stream):
            await self._hear(stream)

    async def _hear(self, stream: AsyncGenerator[RelayMessage, None]) -> None:
        intake, tally = self._reception.intake, self._reception.tally
        async for message in stream:
            if type(message) is EventMessage:
                self._take(message)
                if intake.is_full:
                    await intake.room()
            elif type(message) is EoseMessage:
                if question := self._questions.get(message.subscription):
                    question.end(None)
            elif type(message) is ClosedMessage:
                self._hear_closed(message)
            elif type(message) is AuthMessage:
                await self._sign_in(message.challenge)
            elif type(message) is OkMessage:
                self._hear_ok(message)
            elif type(message) is NoticeMessage:
                self._log.info("relay_noticed", text=message.text[:200])
            else:
                tally.reject(UNREADABLE_FRAME)

    def _take(self, message: EventMessage) -> None:
        raw = message.event
        reception = self._reception
        reception.tally.receive(raw, self._url)
        verdict = reception.pipeline.judge(raw, message.size)
        if type(verdict) is Accepted:
            reception.intake.put(verdict)
        elif type(verdict) is Rejected:
            reception.tally.reject(verdict.reason)
            if verdict.reason not in NOT_WANTED:
                reception.samples.offer(verdict.reason, self._url, raw)
        else:
            reception.tally.recognise_duplicate()
        if question := self._questions.get(message.subscription):
            if question.page is None:
                # It shows that the subscription stands. Some relays send no EOSE for `limit: 0`.
                question.end(None)
            elif not question.ended.done():
                question.page.note(raw)
        if message.subscription == LIVE and self._questions:
            self._note_live(raw)

    def _note_live(self, raw: object) -> None:
        """A relay may have sent it, or send it in a moment, on the subscription of a page too."""
        event_id = raw.get("id") if type(raw) is dict else None
        if type(event_id) is not str:
            return
        for question in self._questions.values():
            if question.page is not None:
                question.page.live_ids.add(event_id)

    def _hear_closed(self, closed: ClosedMessage) -> None:
        reason = reason_prefix(closed.text)
        shown = reason if reason in metrics.CLOSED_REASONS else "other"
        metrics.SUBSCRIPTIONS_CLOSED.labels(self._url, shown).inc()
        self._log.warning(
            "subscription_closed", subscription=closed.subscription, text=closed.text[:200]
        )
        question = self._questions.get(closed.subscription)
        if question is not None and not question.ended.done():
            question.end(closed)
        elif closed.subscription == LIVE:
            # What comes until it is open again is missed: a new connection catches up.
            raise RelayGone(f"live subscription closed: {closed.text[:200]}")

    async def open_live(self, filters: list[Filter]) -> None:
        """Subscribes to what comes from now on."""
        for _ in range(self._patience.page_attempts):
            answer = await self._ask(LIVE, filters, None)
            if answer is not _Answer.CLOSED:
                return  # silence too: what does not come by it comes by the next sweep
        raise RelayGone("the live subscription was closed again and again")

    async def watch(self, since: int, until: int, kinds: Collection[int] | None) -> None:
        """Subscribes to what is published from now on and dated within that span (Unix seconds,
        inclusive), so that a page of it is not misled by what comes meanwhile.

        kinds: None for all. A relay may not care for it, and is not held to it.
        """
        until = max(since, min(until, int(self._now())))
        asked: Filter = {"since": since, "until": until, "limit": 0}
        if kinds is not None:
            asked["kinds"] = sorted(kinds)
        with contextlib.suppress(PageRefused):
            await self.open_live([asked])

    async def fetch(self, asked: Filter, since: int, until: int) -> Page:
        """One page of that span up to its true EOSE."""
        return await self.read(asked, lambda: Page(since, until))

    async def fetch_ids(self, ids: Sequence[str]) -> set[str]:
        """Asks for these events, no more than fit a page. Gives the ids of those that came."""
        page = await self.fetch({"ids": list(ids), "limit": len(ids)}, 0, MAX_CREATED_AT)
        return page.ids & set(ids)

    async def read(self, asked: Filter, new_page: Callable[[], P]) -> P:
        """What the filter brings up to a true EOSE: after a CLOSED or a silence it is asked again.

        Raises RelayGone where no EOSE comes, RelayRefused or PageRefused.
        """
        for _ in range(self._patience.page_attempts):
            self.pages_asked += 1
            page = new_page()
            answer = await self._ask(f"page-{self.pages_asked}", [asked], page)
            if answer is _Answer.EOSE:
                self.pages_read += 1
                self._delays = self._patience.delays()
                return page
        raise RelayGone("a page got no EOSE")

    async def _ask(self, subscription: str, filters: list[Filter], page: Page | None) -> _Answer:
        """Sends the REQ and waits for what ends it, doing what a CLOSED asks for.

        Raises RelayRefused or PageRefused where asking again would not help.
        """
        question = self._questions[subscription] = _Question(page)
        try:
            await self._relay.send(messages.req(subscription, *filters))
            closed = await self._end_of(question)
        except TimeoutError:
            metrics.PAGES_TIMED_OUT.labels(self._url).inc()
            events = 0 if page is None else page.total
            self._log.warning("relay_silent", subscription=subscription, events=events)
            answer = _Answer.SILENCE
        else:
            answer = _Answer.EOSE if closed is None else _Answer.CLOSED
        finally:
            del self._questions[subscription]
        if answer is _Answer.CLOSED and closed is not None:
            await self._answer_closed(closed)
        elif subscription != LIVE:
            await self._relay.send(messages.close(subscription))
        return answer

    async def _end_of(self, question: _Question) -> ClosedMessage | None:
        """Raises TimeoutError when the relay sends nothing of the page while we listen."""
        page = question.page
        while True:
            total = 0 if page is None else page.total
            await asyncio.wait({question.ended}, timeout=self._patience.page_silence)
            if question.ended.done():
                return question.ended.result()
            is_our_turn = self._reception.intake.is_full or not self._relay.is_waiting
            if page is None or (page.total == total and not is_our_turn):
                raise TimeoutError

    async def _answer_closed(self, closed: ClosedMessage) -> None:
        """Does what the reason asks for (NIP-01, NIP-42), so that the REQ can be repeated."""
        reason = reason_prefix(closed.text)
        if reason == "auth-required":
            if self._identity is None:
                metrics.SIGN_IN_IMPOSSIBLE.labels(self._url).set(1)
                raise RelayRefused("the relay wants a sign-in and RELAY_SECRET_KEY is not set")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience.sign_in):
                    await self._is_signed_in.wait()
        elif reason in {"restricted", "blocked"}:
            raise RelayRefused(closed.text[:200])
        elif reason in {"invalid", "unsupported"}:
            raise PageRefused(closed.text[:200])
        else:
            await asyncio.sleep(next(self._delays))

    # --- Signing in (NIP-42) ----------------------------------------------------------------------

    async def _sign_in(self, challenge: str) -> None:
        if self._identity is None:
            self._log.info("sign_in_not_possible", missing="RELAY_SECRET_KEY")
            return
        self._is_signed_in.clear()
        answer = self._identity.answer(self._url, challenge, int(self._now()))
        self._sign_in_id = answer["id"]
        await self._relay.send(messages.auth(answer))

    def _hear_ok(self, answer: OkMessage) -> None:
        if answer.event_id != self._sign_in_id:
            return
        if not answer.accepted:
            raise RelayRefused(f"sign-in refused: {answer.text[:200]}")
        self._log.info("signed_in")
        self._is_signed_in.set()
