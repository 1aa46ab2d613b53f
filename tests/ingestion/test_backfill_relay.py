"""`manage.py backfill_relay` as a process: what it reads, and how it goes on after a kill."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import signal
import sqlite3
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from rich.console import Console

from funnel.nostr import MAX_CREATED_AT
from ingestion import backfill
from ingestion.backfill import BackfillIncomplete, RelayBackfill
from ingestion.backfill_progress import ProgressBars, ProgressLines
from ingestion.models import BackfillRun
from ingestion.pipeline import Accepted, WantedKinds
from ingestion.progress import Pace, Progress
from tests.builders import T, a_note, a_reaction, a_video, alice, an_event, bob, carol
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_ingest_relay import (
    end_of,
    environment,
    running,
    stored_ids,
    until,
    until_ready_says,
)
from tests.ingestion.test_sync import FAST, ids, notes, reception_into, run
from tests.ports import free_port

__all__ = ["environment"]

INCOMPLETE = 3


def runs(environment: dict[str, str]) -> list[dict[str, Any]]:
    """What the database says of the backfills, the oldest first."""
    file = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        return [
            dict(row) for row in database.execute("SELECT * FROM ingestion_backfillrun ORDER BY id")
        ]


def unread(environment: dict[str, str]) -> int:
    """Up to which second the last run is still to be read."""
    return min((row["unread_until"] for row in runs(environment)), default=MAX_CREATED_AT)


def has_come_further(environment: dict[str, str], before: int) -> bool:
    return unread(environment) < before


def test_killed_again_and_again_beside_a_live_worker_it_reads_everything(clickhouse, environment):
    """The relay excludes `until`, and each page ends within a second."""
    stored = [a_note(by, f"{n}", at=n // 3) for n in range(1_000) for by in (alice, bob)]
    live = [a_note(carol, f"live {n}", at=10**7 + n) for n in range(40)]
    relay = FakeRelay(stored, cap=50, excludes_until=True, page_seconds=0.1)
    port = free_port()

    async def scenario() -> None:
        async with (
            relay.running(),
            running(
                environment,
                "ingest_relay",
                f"--metrics-port={port}",
                RELAY_URL=relay.url,
                FIRST_SYNC_WINDOW="60",
            ),
        ):
            await until_ready_says(port, 200)
            for number in range(3):
                before = min(unread(environment), T + 10**6)
                async with running(environment, "backfill_relay", "--relay", relay.url) as backfill:
                    await until(functools.partial(has_come_further, environment, before))
                    await relay.publish(*live[number * 10 : number * 10 + 10])
                    backfill.kill()
                    assert -signal.SIGKILL == await end_of(backfill)
            assert set(ids(*stored)) - set(stored_ids(clickhouse))
            await relay.publish(*live[30:])
            relay.page_seconds = 0
            async with running(environment, "backfill_relay", "--relay", relay.url) as backfill:
                assert 0 == await end_of(backfill)
            await until(lambda: set(ids(*live)) <= set(stored_ids(clickhouse)))

    run(scenario())

    assert ids(*stored, *live) == sorted(set(stored_ids(clickhouse)))
    assert [("complete", -1)] == [(row["state"], row["unread_until"]) for row in runs(environment)]


def test_only_the_span_and_the_kinds_that_are_asked_for_are_read(clickhouse, environment):
    video = a_video(at=50)
    wanted = [*notes(20, first_at=40), a_note(alice, "the last second", at=60)]
    others = [*notes(5), video, a_reaction(video, at=55), a_note(alice, "later", at=70)]
    span = ("--since", "2023-11-14T22:14:00Z", "--until", str(T + 60))

    async def scenario() -> None:
        async with FakeRelay([*wanted, *others], excludes_until=True).running() as relay:
            for _ in range(2):
                async with running(
                    environment, "backfill_relay", "--relay", relay.url, *span, "--kinds", "1"
                ) as backfill:
                    assert 0 == await end_of(backfill)

    run(scenario())

    assert ids(*wanted) == sorted(set(stored_ids(clickhouse)))
    # What is complete is read once more when it is asked for again.
    assert 2 == len(runs(environment))


def test_what_is_not_complete_is_told_by_the_exit_code_and_in_the_database(clickhouse, environment):
    busy = [a_note(bob, f"{n}", at=100) for n in range(20)]
    refusing = FakeRelay(notes(3), challenge="who?")
    keeping_back = FakeRelay([*notes(30), *busy], cap=8)

    async def scenario() -> None:
        async with refusing.running(), keeping_back.running():
            for relay in (refusing, keeping_back):
                async with running(environment, "backfill_relay", "--relay", relay.url) as backfill:
                    assert INCOMPLETE == await end_of(backfill)

    run(scenario())

    refused, partial = runs(environment)
    assert ("interrupted", True) == (refused["state"], "RELAY_SECRET_KEY" in refused["error"])
    assert ("partial", 1) == (partial["state"], partial["unreachable_seconds"])
    assert 30 + 8 == len(set(stored_ids(clickhouse)))


# --- In this process ------------------------------------------------------------------------------


@dataclass
class MemoryRunBook:
    """A run over all time that begins, and what is saved of it."""

    progress: Progress
    # So many savings fail, as when Django's database is locked.
    failures: int = 0
    states: list[tuple[BackfillRun.State, str]] = field(default_factory=list)

    async def load(self) -> Progress:
        return self.progress

    def save(
        self, progress: Progress, state: BackfillRun.State, error: str = ""
    ) -> asyncio.Future[None]:
        saved = asyncio.get_running_loop().create_future()
        if self.failures:
            self.failures -= 1
            saved.set_exception(OperationalError("database is locked"))
            return saved
        self.progress = progress
        self.states.append((state, error))
        saved.set_result(None)
        return saved


async def backfilled(
    relay: FakeRelay, kinds: WantedKinds, *, failures: int = 0
) -> tuple[list[str], MemoryRunBook]:
    """The ids of what a run has stored, and its book at the end."""
    stored: list[str] = []
    book = MemoryRunBook(Progress(0, MAX_CREATED_AT, MAX_CREATED_AT, 0, 0), failures)

    async def write(events: list[Accepted]) -> None:
        stored.extend(accepted.event.id for accepted in events)

    reception = reception_into(write, kinds=kinds)
    work = RelayBackfill(
        relay.url,
        kinds=kinds,
        reception=reception,
        book=book,
        identity=None,
        patience=FAST,
        report=lambda url, progress: None,
    )
    writing = asyncio.create_task(reception.intake.run())
    with contextlib.suppress(BackfillIncomplete):
        await work.run()
    writing.cancel()
    return sorted(stored), book


def test_a_backdated_event_that_is_published_meanwhile_hides_nothing():
    stored = notes(300)
    backdated = a_note(carol, "older than everything", at=-1000)

    async def scenario() -> None:
        relay = FakeRelay(stored, cap=50, live_during={2: [backdated]})
        async with relay.running():
            read, book = await backfilled(relay, WantedKinds())

        assert ids(*stored, backdated) == read
        assert (BackfillRun.State.COMPLETE, "") == book.states[-1]

    run(scenario())


@pytest.mark.parametrize(
    ("kinds", "state"), [([], BackfillRun.State.PARTIAL), ([1, 7], BackfillRun.State.COMPLETE)]
)
def test_a_second_that_was_read_by_what_is_known_is_not_called_complete(kinds, state):
    """Of kinds that are configured none is unknown."""
    busy = [an_event(kind, bob, content=f"{n}", at=100) for n in range(6) for kind in (1, 7)]
    stored = [*notes(30), *busy]

    async def scenario() -> None:
        async with FakeRelay(stored, cap=8).running() as relay:
            read, book = await backfilled(relay, WantedKinds.chosen(kinds))

        assert ids(*stored) == read
        assert state == book.states[-1][0]
        assert ("the relay may have more" in book.states[-1][1]) == (not kinds)
        assert (0 if kinds else 1) == book.progress.unproven_seconds

    run(scenario())


def test_progress_is_saved_again_after_the_database_has_failed(monkeypatch):
    monkeypatch.setattr(backfill, "SAVE_SECONDS", 0.01)

    async def scenario() -> None:
        async with FakeRelay(notes(300), cap=50, page_seconds=0.05).running() as relay:
            read, book = await backfilled(relay, WantedKinds(), failures=2)

        assert ids(*notes(300)) == read
        assert (BackfillRun.State.RUNNING, "") in book.states
        assert (BackfillRun.State.COMPLETE, "") == book.states[-1]

    run(scenario())


# --- Arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "yesterday"), "yesterday is no time"),
        (("--until", "4294967296"), "no time that an event can have"),
        (("--kinds", "1,70000"), "no list of kinds"),
        (("--since", "20", "--until", "10"), "--since is later than --until"),
        (("--relay", "https://relay.example"), "must be ws:// or wss://"),
        ((), "No relay to read"),
    ],
)
@pytest.mark.parametrize("command", ["backfill_relay", "reconcile_relay"])
@pytest.mark.django_db
def test_wrong_arguments_are_refused(command, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command(command, *arguments)


# --- Progress -------------------------------------------------------------------------------------

BEGAN = Progress(
    since=T, until=T + 1_000, unread_until=T + 1_000, events_read=0, unreachable_seconds=0
)
HALF = Progress(
    since=T, until=T + 1_000, unread_until=T + 500, events_read=300, unreachable_seconds=0
)
NOW = T + 10_000


def test_the_rest_takes_as_long_as_what_is_done_did():
    pace = Pace(began_at=NOW - 60, began_with=BEGAN)

    assert 0.5 == HALF.fraction(NOW)
    assert 5.0 == pace.events_per_second(HALF, NOW)
    assert 60.0 == pace.remaining_seconds(HALF, NOW)
    assert pace.remaining_seconds(BEGAN, NOW) is None


def test_on_a_terminal_a_bar_tells_the_rate_and_the_remaining_time():
    clock = [float(NOW)]
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=150)

    with ProgressBars(lambda: clock[0], console) as report:
        report("wss://relay.example", BEGAN)
        clock[0] += 60
        report("wss://relay.example", HALF)

    shown = terminal.getvalue()
    assert "wss://relay.example" in shown
    assert "50%" in shown
    assert "300 events, 5/s, about 0:01:00 left" in shown


def test_elsewhere_lines_tell_the_same(caplog):
    clock = [float(NOW)]

    with ProgressLines(lambda: clock[0]) as report:
        report("wss://relay.example", BEGAN)
        clock[0] += 60
        report("wss://relay.example", HALF)

    line = caplog.records[-1].msg
    assert (50.0, 5, 60) == (line["percent"], line["events_per_second"], line["remaining_seconds"])
