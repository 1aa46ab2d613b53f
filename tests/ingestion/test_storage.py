"""The storage thread: calls in order, their outcomes to who asked, and an end that never hangs."""

from __future__ import annotations

import asyncio
import functools
import threading
import time

import pytest

from ingestion.storage import StorageThread


def test_calls_run_in_their_order_and_one_at_a_time():
    async def scenario() -> list[int]:
        storage = StorageThread()
        storage.start()
        done: list[int] = []

        def step(number: int) -> int:
            time.sleep(0.001 * (5 - number))
            done.append(number)
            return number

        results = await asyncio.gather(
            *(storage.call(functools.partial(step, number)) for number in range(5))
        )
        storage.stop(5)
        assert done == results
        return done

    assert [0, 1, 2, 3, 4] == asyncio.run(scenario())


def test_what_a_call_raises_reaches_who_asked_and_the_thread_goes_on():
    async def scenario() -> int:
        storage = StorageThread()
        storage.start()
        with pytest.raises(ZeroDivisionError):
            await storage.call(lambda: 1 // 0)
        answer = await storage.call(lambda: 42)
        storage.stop(5)
        return answer

    assert 42 == asyncio.run(scenario())


def test_a_call_that_hangs_does_not_hold_up_the_end():
    hangs = threading.Event()

    async def scenario() -> None:
        storage = StorageThread()
        storage.start()
        storage.call(hangs.wait)
        storage.stop(0.05)

    began = time.monotonic()
    asyncio.run(scenario())
    took = time.monotonic() - began
    hangs.set()

    assert took < 2
