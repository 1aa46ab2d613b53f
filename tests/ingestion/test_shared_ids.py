"""Ids that workers share, in a real Redis: only what is stored is known, and all works without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import redis

from ingestion.messages import EoseMessage, EventMessage, RelayMessage
from ingestion.pipeline import RecentIds
from ingestion.relay import RelayGone
from ingestion.shared_ids import GENERATION_SECONDS, MAX_WAITING_MESSAGES, SharedIds
from tests.builders import a_note, as_json

NOTES = [a_note(content=str(number)) for number in range(3 * MAX_WAITING_MESSAGES)]
IDS = [note.id for note in NOTES]
STORE = "one database"

Scenario = Callable[[SharedIds, RecentIds], Awaitable[None]]


def run(url: str, scenario: Scenario, *, now: float = 1_000_000.0, store: str = STORE) -> RecentIds:
    """What a worker that has just started knows after the scenario."""
    recent = RecentIds()

    async def with_shared_ids() -> None:
        shared = SharedIds(url, recent=recent, clock=lambda: now)
        shared.store = store
        try:
            async with asyncio.timeout(10):
                await scenario(shared, recent)
        finally:
            await shared.close()

    asyncio.run(with_shared_ids())
    return recent


async def remember(shared: SharedIds, recent: RecentIds) -> None:
    await shared.remember(IDS[:2])


async def recall(shared: SharedIds, recent: RecentIds) -> None:
    await shared.recall(IDS[:3])


def test_what_one_worker_has_stored_another_one_knows(redis_url):
    run(redis_url, remember)

    recent = run(redis_url, recall)

    assert [True, True, False] == [one in recent for one in IDS[:3]]


def test_what_was_asked_for_and_not_stored_stays_unknown(redis_url):
    run(redis_url, recall)

    recent = run(redis_url, recall)

    assert [False, False, False] == [one in recent for one in IDS[:3]]


@pytest.mark.parametrize("store", ["another database", ""])
def test_what_is_stored_elsewhere_is_unknown(redis_url, store):
    run(redis_url, remember)

    recent = run(redis_url, recall, store=store)

    assert IDS[0] not in recent


def test_an_id_is_known_into_the_next_generation_and_no_longer(redis_url):
    run(redis_url, remember)

    later = [
        IDS[0] in run(redis_url, recall, now=1_000_000.0 + n * GENERATION_SECONDS) for n in (1, 2)
    ]

    assert [True, False] == later
    with redis.Redis.from_url(redis_url) as client:
        assert all(0 < client.ttl(key) <= 2 * GENERATION_SECONDS for key in client.scan_iter())


def test_what_is_no_id_is_no_question(redis_url):
    async def scenario(shared: SharedIds, recent: RecentIds) -> None:
        await shared.recall(["", "x" * 64, IDS[0] + "\n", "é" * 64, IDS[0].upper()])

    run(redis_url, scenario)


async def stream(*messages: RelayMessage) -> AsyncIterator[RelayMessage]:
    for message in messages:
        yield message
    raise RelayGone("the end")


async def heard(
    shared: SharedIds, recent: RecentIds, sent: list[RelayMessage]
) -> list[tuple[RelayMessage, bool]]:
    """The messages up to the end of the connection, each with whether it was known by then."""
    seen = []
    try:
        async for message in shared.ahead_of(stream(*sent)):
            raw = message.event if isinstance(message, EventMessage) else None
            seen.append((message, isinstance(raw, dict) and raw["id"] in recent))
    except RelayGone:
        return seen
    raise AssertionError("the end of the connection was not passed on")


def test_messages_keep_their_order_and_a_stored_event_is_known_when_it_comes(redis_url):
    run(redis_url, remember)
    sent: list[RelayMessage] = [EventMessage("s", as_json(note), 500) for note in NOTES]
    sent[250:250] = [EoseMessage("s"), EventMessage("s", None, 5), EventMessage("s", {"id": 1}, 9)]

    async def scenario(shared: SharedIds, recent: RecentIds) -> None:
        seen = await heard(shared, recent, sent)

        assert [(message, number < 2) for number, message in enumerate(sent)] == seen

    run(redis_url, scenario)


def test_without_redis_every_message_comes_and_nothing_is_known(tmp_path):
    sent: list[RelayMessage] = [EventMessage("s", as_json(note), 500) for note in NOTES]

    async def scenario(shared: SharedIds, recent: RecentIds) -> None:
        await shared.remember(IDS)

        assert [(message, False) for message in sent] == await heard(shared, recent, sent)

    run(f"unix://{tmp_path / 'nobody'}", scenario)
