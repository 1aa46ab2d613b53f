"""What waits for ClickHouse: acknowledged in order, bounded, flushed when asked."""

from __future__ import annotations

import asyncio
import time

from ingestion.batch import BatchLimits
from ingestion.intake import Intake
from ingestion.pipeline import Accepted
from tests.builders import a_note

EVENTS = [Accepted(a_note(content=str(n)), False, 10) for n in range(40)]


class Gate:
    """Writes that end when the gate is open."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.is_open = asyncio.Event()

    async def write(self, events: list[Accepted]) -> None:
        await self.is_open.wait()
        self.batches.append(len(events))


def run(scenario, *, rows: int = 10, age_seconds: float = 60.0, growth: int = 2) -> None:
    async def with_intake() -> None:
        gate = Gate()
        limits = BatchLimits(rows=rows, age_seconds=age_seconds, spacing_seconds=0, growth=growth)
        intake = Intake(write=gate.write, limits=limits, clock=time.monotonic)
        running = asyncio.create_task(intake.run())
        try:
            async with asyncio.timeout(10):
                await scenario(intake, gate)
        finally:
            running.cancel()

    asyncio.run(with_intake())


def test_a_full_batch_goes_without_waiting_for_its_age():
    async def scenario(intake: Intake, gate: Gate) -> None:
        gate.is_open.set()
        for event in EVENTS[:10]:
            intake.put(event)
        while intake.unacknowledged:
            await asyncio.sleep(0.001)

        assert [10] == gate.batches

    run(scenario)


def test_a_single_event_goes_when_it_is_old_enough():
    async def scenario(intake: Intake, gate: Gate) -> None:
        gate.is_open.set()
        intake.put(EVENTS[0])
        while intake.unacknowledged:
            await asyncio.sleep(0.001)

        assert [1] == gate.batches

    run(scenario, age_seconds=0.02)


def test_flushing_waits_for_what_was_there_and_for_no_more():
    async def scenario(intake: Intake, gate: Gate) -> None:
        intake.put(EVENTS[0])
        flushing = asyncio.create_task(intake.flushed())
        await asyncio.sleep(0.01)
        intake.put(EVENTS[1])
        assert not flushing.done()
        gate.is_open.set()
        await flushing

        assert 1 == intake.unacknowledged

    run(scenario)


def test_what_gathers_during_a_write_is_flushed_too():
    async def scenario(intake: Intake, gate: Gate) -> None:
        intake.put(EVENTS[0])
        first = asyncio.create_task(intake.flushed())
        await asyncio.sleep(0.01)
        intake.put(EVENTS[1])
        second = asyncio.create_task(intake.flushed())
        await asyncio.sleep(0.01)
        gate.is_open.set()
        await first
        await second

        assert [1, 1] == gate.batches

    run(scenario)


def test_with_nothing_to_wait_for_a_flush_is_over_at_once():
    async def scenario(intake: Intake, gate: Gate) -> None:
        await intake.flushed()

    run(scenario)


def test_there_is_no_room_while_a_write_is_under_way_and_the_next_batch_is_full():
    async def scenario(intake: Intake, gate: Gate) -> None:
        for event in EVENTS[:10]:
            intake.put(event)
        await asyncio.sleep(0.01)
        for event in EVENTS[10:30]:
            assert not intake.is_full
            intake.put(event)
        assert intake.is_full
        waiting = asyncio.create_task(intake.room())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        gate.is_open.set()
        await waiting

        assert not intake.is_full

    run(scenario)
