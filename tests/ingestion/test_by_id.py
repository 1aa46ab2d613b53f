"""Reading by ids where a relay tells which ones it has (NIP-77)."""

from __future__ import annotations

import asyncio
import time

from ingestion import negentropy
from ingestion.by_id import UNSUPPORTED_SECONDS, BusySeconds
from ingestion.demo.relay import local_relay
from ingestion.dialogue import Dialogue
from ingestion.pipeline import Accepted, WantedKinds
from ingestion.visits import Visits
from tests.builders import a_note, bob
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_ingest_relay import publish
from tests.ingestion.test_sync import FAST, ids, reception_into, run
from tests.ports import free_port


def test_a_relay_that_did_not_understand_is_asked_again_after_an_hour(monkeypatch):
    """It may have been away just then, and a worker runs for months."""
    monkeypatch.setattr(negentropy, "ANSWER_SECONDS", 2)
    busy = [a_note(bob, f"{n}", at=0) for n in range(600)]
    second = busy[0].created_at
    stored: list[str] = []
    clock = [0.0]
    port = free_port()
    busy_seconds = BusySeconds(f"ws://127.0.0.1:{port}", WantedKinds(), clock=lambda: clock[0])
    answers: list[bool] = []

    async def write(events: list[Accepted]) -> None:
        stored.extend(accepted.event.id for accepted in events)

    async def ask(dialogue: Dialogue) -> None:
        answers.append(await busy_seconds.read(dialogue, second, 500))

    async def scenario() -> None:
        reception = reception_into(write, kinds=WantedKinds())
        writing = asyncio.create_task(reception.intake.run())

        async def visit(url: str) -> None:
            visits = Visits(url, reception=reception, identity=None, patience=FAST, now=time.time)
            await visits.until_done(ask)

        async with FakeRelay().running(port) as deaf:
            await visit(deaf.url)
        async with local_relay(port=port) as url:
            await publish(url, busy)
            await visit(url)
            clock[0] += UNSUPPORTED_SECONDS
            await visit(url)
        await reception.intake.flushed()
        writing.cancel()

    run(scenario())

    assert [False, False, True] == answers
    assert ids(*busy) == sorted(stored)
