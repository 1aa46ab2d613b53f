"""One run: publishes events, breaks things meanwhile, and compares what is left with what was sent.

The processes are real: `manage.py clickhouse_local` and `manage.py ingest_relay`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clickhouse_schema.projector import Projector
from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from tests.chaos.relay import ChaosRelay
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer, make_schema
from tests.crowd import Crowd, Signed
from tests.oracle import Config, Oracle

DATABASE = "chaos"
# How long before the start the stored events begin.
HISTORY_SECONDS = 20 * 86_400
# Live events are dated up to so long before they are sent; the worker's overlap covers it.
BACKDATED_SECONDS = 600
OVERLAP_SECONDS = 1_200
SETTLE_SECONDS = 180
# ClickHouse stopped for longer than this makes an insert time out that may yet happen.
WRITE_SECONDS = 5
LARGE_EVERY = 5_000
LARGE_CHARACTERS = 900_000

STORED = parse_query("chaos.stored", "-- Ids.\nSELECT id FROM events_local")
VIEWS = parse_query("chaos.views", "-- Ids of views.\nSELECT id FROM view_events_local")
ROWS = parse_query(
    "chaos.rows",
    """-- Rows after merging, and ids.
    SELECT
        (SELECT count() FROM events_local FINAL) AS rows,
        uniqExact(id) AS ids
    FROM events_local
    """,
)
TOTALS = parse_query(
    "chaos.totals",
    "-- Live videos.\nSELECT count() AS videos FROM videos(now = {now:UInt32})",
)
STATS = parse_query(
    "chaos.stats",
    """-- What every live video counts.
    SELECT
        video_key, id, reactions, likes, dislikes, comments, reposts, quotes, bookmarks, views,
        unique_viewers, loops, engagement_score
    FROM videos(now = {now:UInt32})
    """,
)
PARTS = parse_query(
    "chaos.parts",
    """-- The most active parts that one partition has.
    SELECT max(parts) AS parts
    FROM (
        SELECT count() AS parts
        FROM system.parts
        WHERE active AND database = currentDatabase()
        GROUP BY table, partition
    )
    """,
)


@dataclass(frozen=True)
class Plan:
    events: int = 50_000
    faults: int = 24
    seed: int = 1
    # From one fault's end to the next one's beginning.
    pause_seconds: tuple[float, float] = (1.0, 4.0)
    # What is stored before anybody reads.
    stored_share: float = 0.4


class Lost(AssertionError):
    """The run's verdict: what is missing, superfluous or counted wrongly."""


class Run:
    def __init__(self, plan: Plan, directory: Path, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.say = say
        self.did: Counter[str] = Counter()
        self._dice = random.Random(plan.seed)
        self._directory = directory
        self._relay = ChaosRelay(random.Random(plan.seed + 1), misbehaviours=plan.events // 1_000)
        self._server = LocalServer(directory)
        self._ingester: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}
        self._published: list[Event] = []
        self._published_all = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """The run's numbers. Raises Lost."""
        began = time.monotonic()
        try:
            await self._start()
            publishing = asyncio.create_task(self._publish())
            faults = asyncio.create_task(self._break_things())
            await asyncio.gather(publishing, faults)
            self.say(f"published {len(self._published)}, {sum(self.did.values())} faults; settling")
            settled_after = await self._settle()
            numbers = await asyncio.to_thread(self._verify)
        finally:
            await self._stop()
        return numbers | {
            "faults": dict(self.did),
            "relay": dict(self._relay.did),
            "settled_seconds": round(settled_after, 1),
            "seconds": round(time.monotonic() - began, 1),
        }

    # --- The processes ----------------------------------------------------------------------------

    async def _start(self) -> None:
        crowd = Crowd(self.plan.seed)
        self._crowd = crowd
        start = int(time.time())
        stored = int(self.plan.events * self.plan.stored_share)
        for number in range(stored):
            at = start - HISTORY_SECONDS + number * HISTORY_SECONDS // stored
            self._keep(crowd.next(at), self._relay.store)
        await asyncio.to_thread(self._server.start)
        make_schema(self._server.settings(DATABASE))
        await self._relay.open()
        self._environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "funnel.settings",
            "SECRET_KEY": "chaos",
            "LOG_JSON": "true",
            "DATABASE_URL": f"sqlite:///{self._directory / 'django.sqlite3'}",
            "CLICKHOUSE_URL": f"clickhouse://127.0.0.1:{self._server.port}",
            "CLICKHOUSE_USER": "default",
            "CLICKHOUSE_PASSWORD": PASSWORD,
            "CLICKHOUSE_DATABASE": DATABASE,
            "CLICKHOUSE_WRITE_SECONDS": str(WRITE_SECONDS),
            "CATCHUP_OVERLAP": str(OVERLAP_SECONDS),
            "RELAY_URL": self._relay.url,
        }
        self._manage("migrate", "--skip-checks", "-v0").wait()
        self._start_ingester()

    def _manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._directory / "ingest_relay.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def _start_ingester(self) -> None:
        self._ingester = self._manage("ingest_relay")

    async def _stop(self) -> None:
        if self._ingester is not None and self._ingester.poll() is None:
            self._ingester.send_signal(signal.SIGCONT)
            self._ingester.kill()
            self._ingester.wait()
        if self._server.process is not None:
            self._server.process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(self._server.stop)
        await self._relay.close()

    # --- Publishing -------------------------------------------------------------------------------

    def _keep(self, signed: Signed, by: Callable[[Signed], None]) -> None:
        self._published.append(signed.event)
        by(signed)

    async def _publish(self) -> None:
        """Live events, evenly over the time that the faults will take."""
        live = self.plan.events - len(self._published)
        # A fault takes about two seconds by itself.
        seconds = self.plan.faults * (sum(self.plan.pause_seconds) / 2 + 2)
        began = time.monotonic()
        for number in range(live):
            while number > (time.monotonic() - began) * live / seconds:
                await asyncio.sleep(0.02)
            at = int(time.time())
            if self._dice.random() < 0.2:
                at -= self._dice.randrange(BACKDATED_SECONDS)
            if number % LARGE_EVERY == LARGE_EVERY // 2:
                self._keep(
                    self._crowd.sign(0, Kind.NOTE, at, [], str(number) + "x" * LARGE_CHARACTERS),
                    self._relay.publish,
                )
            else:
                self._keep(self._crowd.next(at), self._relay.publish)

    # --- Faults -----------------------------------------------------------------------------------

    async def _break_things(self) -> None:
        faults: list[Callable[[], Awaitable[None]]] = [
            self._kill_ingester,
            self._stop_ingester,
            self._restart_ingester,
            self._kill_clickhouse,
            self._stop_clickhouse,
            self._restart_clickhouse,
        ]
        # Each at least once before any comes again.
        order = [
            fault
            for _ in range(-(-self.plan.faults // len(faults)))
            for fault in self._dice.sample(faults, len(faults))
        ]
        for fault in order[: self.plan.faults]:
            await asyncio.sleep(self._dice.uniform(*self.plan.pause_seconds))
            if self._dice.random() < 0.5:
                await self._disturb_relay()
            name = fault.__name__.strip("_")
            self.did[name] += 1
            self.say(f"{len(self._published):>7} published; {name}")
            await fault()

    async def _disturb_relay(self) -> None:
        match self._dice.choice(("cut", "closed", "down")):
            case "cut":
                self._relay.cut()
            case "closed":
                self._relay.close_live_subscriptions()
            case "down":
                await self._relay.close()
                await asyncio.sleep(self._dice.uniform(0.1, 1.5))
                await self._relay.open()

    async def _kill_ingester(self) -> None:
        assert self._ingester is not None
        self._ingester.kill()
        self._ingester.wait()
        await asyncio.sleep(self._dice.uniform(0, 1))
        self._start_ingester()

    async def _stop_ingester(self) -> None:
        assert self._ingester is not None
        self._ingester.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(0.5, 3))
        self._ingester.send_signal(signal.SIGCONT)

    async def _restart_ingester(self) -> None:
        assert self._ingester is not None
        await asyncio.to_thread(self._end_ingester, self._ingester)
        self._start_ingester()

    async def _kill_clickhouse(self) -> None:
        assert self._server.process is not None
        self._server.process.kill()
        self._server.process.wait()
        await asyncio.sleep(self._dice.uniform(0, 1.5))
        await asyncio.to_thread(self._server.start)

    async def _stop_clickhouse(self) -> None:
        assert self._server.process is not None
        self._server.process.send_signal(signal.SIGSTOP)
        long = self._dice.random() < 0.2
        await asyncio.sleep(2 * WRITE_SECONDS + 2 if long else self._dice.uniform(0.5, 3))
        self._server.process.send_signal(signal.SIGCONT)

    async def _restart_clickhouse(self) -> None:
        await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._server.start)

    # --- The verdict ------------------------------------------------------------------------------

    async def _settle(self) -> float:
        """Seconds until everything published is stored, without another fault."""
        began = time.monotonic()
        door = Clickhouse(self._server.settings(DATABASE))
        missing: set[str] = set()
        while time.monotonic() - began < SETTLE_SECONDS:
            missing = {event.id for event in self._published} - self._ids(door)
            if not missing:
                return time.monotonic() - began
            if self._ingester is not None and self._ingester.poll() is not None:
                raise Lost(f"ingest_relay ended with {self._ingester.poll()}")
            await asyncio.sleep(0.5)
        raise Lost(
            f"{len(missing)} of {len(self._published)} events are missing: {sorted(missing)[:3]}"
        )

    @staticmethod
    def _end_ingester(ingester: subprocess.Popen[bytes]) -> None:
        ingester.terminate()
        code = ingester.wait(30)
        # Before Django has started, SIGTERM ends any process as the system does.
        if code not in (0, -signal.SIGTERM):
            raise Lost(f"ingest_relay ended with {code} on SIGTERM")

    def _ids(self, door: Clickhouse) -> set[str]:
        return {row["id"] for query in (STORED, VIEWS) for row in door.select(query, {})}

    def _verify(self) -> dict[str, Any]:
        assert self._ingester is not None
        self._end_ingester(self._ingester)
        door = Clickhouse({**self._server.settings(DATABASE), "query_seconds": 60})
        now = int(time.time())
        parts = door.select(PARTS, {})[0]["parts"]

        events = {event.id for event in self._published if event.kind != Kind.VIEW}
        views = {event.id for event in self._published if event.kind == Kind.VIEW}
        for expected, query in ((events, STORED), (views, VIEWS)):
            stored = {row["id"] for row in door.select(query, {})}
            if stored != expected:
                raise Lost(
                    f"{query.name}: {len(expected - stored)} missing, {len(stored - expected)} more"
                )
        rows = door.select(ROWS, {})[0]
        if rows != {"rows": len(events), "ids": len(events)}:
            raise Lost(f"{len(events)} events, but {rows}")

        Projector(door, lag_seconds=-1).catch_up(now=now)
        oracle = Oracle(self._published, now, Config(own_urls=()))
        shown = {row.pop("video_key"): row for row in door.select(STATS, {"now": now})}
        if set(shown) != set(oracle.recent()):
            raise Lost(f"{len(shown)} videos are live, the oracle has {len(oracle.recent())}")
        for key, row in shown.items():
            stats = oracle.stats(key)
            expected_row = {name: getattr(stats, name) for name in row}
            if row != expected_row:
                raise Lost(f"{key}: {row}, the oracle has {expected_row}")
        if oracle.totals().events != len(events) or oracle.totals().videos != len(shown):
            raise Lost(f"the oracle's totals are {oracle.totals()}")
        door.close()
        return {
            "events": len(events),
            "views": len(views),
            "videos": len(shown),
            "reactions": sum(row["reactions"] for row in shown.values()),
            "comments": sum(row["comments"] for row in shown.values()),
            "parts": parts,
        }


async def run(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Runs the plan in a directory of its own. Raises Lost."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        chaos = Run(plan, Path(directory), say)
        try:
            return await chaos.run()
        except Lost:
            say((Path(directory) / "ingest_relay.log").read_text()[-6000:])
            raise
