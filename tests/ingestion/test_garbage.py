"""Garbage in circles is taken away while events are read, and as ever afterwards."""

from __future__ import annotations

import asyncio
import gc
import weakref

from funnel.clickhouse import clickhouse
from ingestion import garbage
from ingestion.event_store import EventStore, StoreOptions


class _Knot:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_in_circles_is_taken_away_by_the_clock(monkeypatch):
    monkeypatch.setattr(garbage, "COLLECT_SECONDS", 0.01)

    async def work() -> bool:
        await asyncio.sleep(0)
        knot = weakref.ref(_Knot())
        while knot() is not None:
            await asyncio.sleep(0.01)
        return gc.isenabled()

    store = EventStore(StoreOptions(own_addresses=()), clickhouse)

    assert asyncio.run(asyncio.wait_for(store.serve(work()), 30)) is False
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
