"""The ingestion worker: keeps up with the relays of the settings and of the admin."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError

from ingestion import metrics
from ingestion.event_store import EventStore, StoreOptions, cancelled
from ingestion.models import Relay
from ingestion.relay_state import RelayBook, listed_and_paused, mark
from ingestion.sign_in import RelayIdentity
from ingestion.storage import StorageThread
from ingestion.sync import RelaySync, SyncTimes
from ingestion.writer import Clickhouse

log = structlog.get_logger(__name__)

# How often the admin's list of relays is looked at.
ROSTER_SECONDS = 2.0
THREAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is to do."""

    relay_urls: Sequence[str]
    store: StoreOptions
    times: SyncTimes = field(default_factory=SyncTimes)
    identity: RelayIdentity | None = None
    # Read what is listed in the admin too.
    reads_listed: bool = False
    # End once all that the relays had stored is written.
    until_caught_up: bool = False


class Worker:
    """Reads relays, which may come and go while it runs."""

    def __init__(self, options: WorkerOptions, clickhouse: Clickhouse) -> None:
        self._options = options
        self._stop = asyncio.Event()
        self._store = EventStore(options.store, clickhouse)
        # Its own thread: the store's one waits for ClickHouse, and pausing must not.
        self._roster = StorageThread()
        self._relays: dict[str, tuple[RelaySync, asyncio.Task[None]]] = {}
        self._is_roster_known = False

    def stop(self) -> None:
        """Asks the worker to end; to be called in its event loop, as by a signal handler."""
        self._stop.set()

    @property
    def relays(self) -> list[RelaySync]:
        """Those that are being read; for any thread."""
        return [sync for sync, _ in list(self._relays.values())]

    @property
    def is_caught_up(self) -> bool:
        return self._is_roster_known and all(relay.caught_up.is_set() for relay in self.relays)

    def health(self) -> list[str]:
        """What shows that the worker hangs, in a few words each; for any thread."""
        return self._store.health()

    def obstacles(self) -> list[str]:
        """What keeps the worker from being subscribed, caught up and writing; for any thread."""
        obstacles = [] if self._is_roster_known else ["starting"]
        obstacles += [
            f"{relay.url}: {relay.state.label.lower()}"
            + (f" ({relay.error})" if relay.error else "")
            for relay in self.relays
            if relay.state is not Relay.State.LIVE
        ]
        if self._store.is_failing:
            obstacles.append("ClickHouse: writing fails")
        return self.health() + obstacles

    async def run(self) -> bool:
        """Works until told to stop, or caught up where that was asked for.

        Whether each relay has been caught up with. Raises whatever was not foreseen.
        """
        log.info("worker_started", relays=len(self._options.relay_urls))
        await self._store.serve(self._read())
        log.info("worker_stopped", caught_up=self.is_caught_up)
        return self.is_caught_up

    async def _read(self) -> None:
        self._roster.start()
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(self._stop.wait())]
        if self._options.until_caught_up:
            ends.append(asyncio.create_task(self._wait_until_caught_up()))
        following = asyncio.create_task(self._follow_roster())
        try:
            done, _ = await asyncio.wait([*ends, following], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancelled(*ends, following)
            await cancelled(*(task for _, task in self._relays.values()))
            self._store.storage.call(
                functools.partial(mark, list(self._relays), Relay.State.STOPPED)
            )
            await asyncio.to_thread(self._roster.stop, THREAD_SECONDS)

    async def _follow_roster(self) -> None:
        """Reads the relays that are to be read, from the moment that they are."""
        while True:
            try:
                listed, paused = await self._roster.call(listed_and_paused)
            except DatabaseError as error:
                if not self._is_roster_known:
                    raise
                log.warning("roster_not_read", error=str(error))
                await self._sleep_or_fail()
                continue
            wanted = dict.fromkeys(self._options.relay_urls)
            if self._options.reads_listed:
                wanted |= dict.fromkeys(listed)
            for url in [url for url in self._relays if url in paused or url not in wanted]:
                await self._leave(url, Relay.State.PAUSED if url in paused else Relay.State.STOPPED)
            for url in wanted:
                if url not in paused and url not in self._relays:
                    self._join(url)
            self._is_roster_known = True
            await self._sleep_or_fail()

    def _join(self, url: str) -> None:
        sync = RelaySync(
            url,
            kinds=self._options.store.kinds,
            reception=self._store.reception,
            book=RelayBook(url, self._options.store.kinds.name, self._store.storage),
            identity=self._options.identity,
            times=self._options.times,
        )
        self._relays[url] = sync, asyncio.create_task(sync.run())

    async def _leave(self, url: str, state: Relay.State) -> None:
        _, task = self._relays.pop(url)
        await cancelled(task)
        # Nobody is to be woken for a relay that is left on purpose.
        for gauge in (metrics.CAUGHT_UP, metrics.CURSOR, metrics.SIGN_IN_IMPOSSIBLE):
            with contextlib.suppress(KeyError):
                gauge.remove(url)
        await self._roster.call(functools.partial(mark, [url], state))
        log.info("relay_left", relay=url, state=state.value)

    async def _sleep_or_fail(self) -> None:
        """Until the next look; raises what a relay's task raises, since that was not foreseen."""
        tasks = [task for _, task in self._relays.values()]
        if not tasks:
            await asyncio.sleep(ROSTER_SECONDS)
            return
        done, _ = await asyncio.wait(
            tasks, timeout=ROSTER_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()

    async def _wait_until_caught_up(self) -> None:
        """Or until a relay refuses us: it will not change its mind by itself."""
        while not self.is_caught_up:
            if any(relay.is_refused for relay in self.relays):
                return
            await asyncio.sleep(0.05)
