"""Ids of stored events that workers share through Redis: a copy is known before it is checked.

An id enters once ClickHouse has acknowledged its event, and never earlier: then neither a forged
copy nor a worker that dies can keep the genuine event out. Without Redis all stays right and each
worker checks each copy itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

import redis.asyncio
import structlog
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from funnel.nostr import HEX_64
from ingestion import metrics
from ingestion.messages import EventMessage, RelayMessage
from ingestion.pipeline import RecentIds

log = structlog.get_logger(__name__)

# An id is remembered for one to two of these; it takes Redis about 100 bytes.
GENERATION_SECONDS = 600
# Messages that wait while their ids are looked up; each is a frame in memory.
MAX_WAITING_MESSAGES = 100
# Checking a group takes less than that: a slower answer is worth nothing.
ANSWER_SECONDS = 0.25
# How long Redis is left alone after it has failed.
REST_SECONDS = 5.0


class SharedIds:
    """What Redis knows is put into `recent`, where the pipeline looks anyway."""

    def __init__(
        self, url: str, *, recent: RecentIds, clock: Callable[[], float] = time.time
    ) -> None:
        """`url`: redis://, rediss:// or unix://; it is never shown, since it may hold a password.

        Raises ValueError where it is none of these.
        """
        self._redis = redis.asyncio.Redis.from_url(
            url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._recent = recent
        self._clock = clock
        self._rests_until = 0.0
        # Which database the ids are in; nothing is looked up or remembered before it is known.
        self.store = ""

    async def close(self) -> None:
        await self._redis.aclose()

    async def remember(self, ids: Sequence[str]) -> None:
        """To be called with the ids of events that ClickHouse has acknowledged."""
        if not self.store or not ids:
            return
        key = self._keys()[0]
        pipe = self._redis.pipeline(transaction=False)
        pipe.sadd(key, *map(bytes.fromhex, ids))
        pipe.expire(key, 2 * GENERATION_SECONDS)
        await self._run(pipe)

    async def recall(self, ids: Iterable[str]) -> None:
        """Marks those of the ids as recent that some worker has stored."""
        unknown = [one for one in ids if HEX_64.fullmatch(one) and one not in self._recent]
        if not self.store or not unknown:
            return
        members = [bytes.fromhex(one) for one in unknown]
        pipe = self._redis.pipeline(transaction=False)
        for key in self._keys():
            pipe.smismember(key, members)
        for found in await self._run(pipe):
            for event_id, is_stored in zip(unknown, found, strict=True):
                if is_stored and event_id not in self._recent:
                    self._recent.add(event_id)
                    metrics.SHARED_IDS_FOUND.inc()

    async def ahead_of(
        self, messages: AsyncIterator[RelayMessage]
    ) -> AsyncGenerator[RelayMessage, None]:
        """The same messages in the same order, each event's id looked up before it comes.

        Those that arrive during one look-up make up the next one, so a question is asked for many.
        """
        waiting: asyncio.Queue[RelayMessage | Exception] = asyncio.Queue(MAX_WAITING_MESSAGES)

        async def read() -> None:
            try:
                async for message in messages:
                    await waiting.put(message)
            except Exception as error:  # it belongs to who reads the messages
                await waiting.put(error)

        reading = asyncio.create_task(read())
        try:
            while True:
                group = [await waiting.get()]
                while not waiting.empty():
                    group.append(waiting.get_nowait())
                await self.recall(filter(None, map(_event_id, group)))
                for message in group:
                    if isinstance(message, Exception):
                        raise message
                    yield message
        finally:
            reading.cancel()

    def _keys(self) -> tuple[str, str]:
        """The sets of this generation and of the one before it."""
        generation = int(self._clock()) // GENERATION_SECONDS
        return (
            f"funnel:stored:{self.store}:{generation}",
            f"funnel:stored:{self.store}:{generation - 1}",
        )

    async def _run(self, pipe: Pipeline) -> list[list[int]]:
        """The replies; none while Redis is away, which costs time and loses nothing."""
        now = self._clock()
        if now < self._rests_until:
            return []
        try:
            replies: list[list[int]] = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = now + REST_SECONDS
            metrics.SHARED_IDS_FAILED.inc()
            # The class alone: the text may quote the address.
            log.warning(
                "shared_ids_unavailable", error=type(error).__name__, retry_seconds=REST_SECONDS
            )
            return []
        return replies


def _event_id(message: RelayMessage | Exception) -> str | None:
    if type(message) is EventMessage and type(message.event) is dict:
        event_id = message.event.get("id")
        if type(event_id) is str:
            return event_id
    return None
