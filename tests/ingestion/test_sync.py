"""One relay's sync against a scripted relay: nothing is lost, whatever the relay does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import nostr_sdk
import pytest

from funnel.nostr import PRIVATE_KINDS, Event, Kind
from ingestion.batch import BatchLimits
from ingestion.dialogue import Reception
from ingestion.gaps import Synced
from ingestion.intake import Intake
from ingestion.metrics import EventTally
from ingestion.models import Relay
from ingestion.pipeline import Accepted, Pipeline, RecentIds, WantedKinds
from ingestion.rejected import RejectedSamples
from ingestion.sign_in import RelayIdentity
from ingestion.sync import RelaySync, SyncTimes
from tests.builders import T, a_note, alice, an_event, bob, carol, forged
from tests.ingestion.fake_relay import GARBAGE, Close, Drop, FakeRelay, Say, Silence

FAST = SyncTimes(
    page_silence=0.2,
    sign_in=0.5,
    reconnect_first=0.01,
    reconnect_longest=0.05,
    refused=0.05,
    sweep_every=3600.0,
)


@dataclass
class MemoryBook:
    """A relay's cursor and states, with the number of events that were stored at each saving."""

    synced: Synced | None = None
    saved: list[tuple[int, int]] = field(default_factory=list)
    states: list[Relay.State] = field(default_factory=list)
    stored: list[Event] = field(default_factory=list)

    @property
    def cursor(self) -> int | None:
        return None if self.synced is None else self.synced.until

    async def load_cursor(self) -> Synced | None:
        return self.synced

    async def save_cursor(self, synced: Synced) -> None:
        self.synced = synced
        if not synced.gaps:
            self.saved.append((synced.until, len(self.stored)))

    async def save_state(self, state: Relay.State, error: str = "") -> None:
        self.states.append(state)


@dataclass
class Syncing:
    sync: RelaySync
    book: MemoryBook
    is_writable: asyncio.Event
    task: asyncio.Task[None]
    intake: Intake
    samples: RejectedSamples

    @property
    def stored_ids(self) -> list[str]:
        return sorted(event.id for event in self.book.stored)

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)

    async def until_caught_up(self) -> None:
        await self.until(self.sync.caught_up.is_set)


def reception_into(
    write: Callable[[list[Accepted]], Awaitable[None]],
    *,
    kinds: WantedKinds,
    limits: BatchLimits | None = None,
) -> Reception:
    """One that remembers no id of before, and writes what it is given almost at once."""
    return Reception(
        pipeline=Pipeline(kinds=kinds, recent=RecentIds()),
        intake=Intake(
            write=write,
            limits=limits or BatchLimits(age_seconds=0.01, spacing_seconds=0),
            clock=time.monotonic,
        ),
        tally=EventTally(),
        samples=RejectedSamples(),
    )


@contextlib.asynccontextmanager
async def syncing(
    relay: FakeRelay,
    *,
    cursor: int | Synced | None = None,
    secret_key: str = "",
    kinds: WantedKinds | None = None,
    times: SyncTimes = FAST,
    now: Callable[[], float] = time.time,
    limits: BatchLimits | None = None,
) -> AsyncIterator[Syncing]:
    """A running sync whose storage is a list; clear `is_writable` and nothing is acknowledged."""
    book = MemoryBook(Synced(0, cursor) if isinstance(cursor, int) else cursor)
    is_writable = asyncio.Event()
    is_writable.set()

    async def write(events: list[Accepted]) -> None:
        await is_writable.wait()
        book.stored += [accepted.event for accepted in events]

    wanted = kinds or WantedKinds()
    reception = reception_into(write, kinds=wanted, limits=limits)
    sync = RelaySync(
        relay.url,
        kinds=wanted,
        reception=reception,
        book=book,
        identity=RelayIdentity(secret_key) if secret_key else None,
        times=times,
        now=now,
    )
    writing = asyncio.create_task(reception.intake.run())
    task = asyncio.create_task(sync.run())
    try:
        yield Syncing(sync, book, is_writable, task, reception.intake, reception.samples)
    finally:
        for each in (task, writing):
            each.cancel()
        await asyncio.gather(task, writing, return_exceptions=True)


def ids(*events: Event) -> list[str]:
    return sorted(event.id for event in events)


def notes(count: int, *, first_at: int = 0, step: int = 1) -> list[Event]:
    return [a_note(bob, f"note {n}", at=first_at + n * step) for n in range(count)]


def run(test: Awaitable[None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(limited())


# --- Completeness ---------------------------------------------------------------------------------


def test_an_empty_relay_is_caught_up_with():
    async def scenario() -> None:
        async with FakeRelay().running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert [] == it.stored_ids
            assert [Relay.State.CONNECTING, Relay.State.CATCHING_UP] == it.book.states[:2]

    run(scenario())


def test_all_that_a_relay_has_stored_arrives_in_spite_of_its_cap():
    async def scenario() -> None:
        stored = notes(1730)
        async with FakeRelay(stored, cap=500).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids

    run(scenario())


def one_busy_second() -> list[Event]:
    """1200 events, 600 of them in one second: of two kinds and by two authors."""
    busy = [
        an_event(kind, by, content=str(n), at=700)
        for n in range(150)
        for kind in (Kind.NOTE, Kind.REACTION)
        for by in (alice, bob)
    ]
    return [*notes(400), *busy, *notes(200, first_at=701)]


def test_s25_a_relay_that_fails_in_every_way_once_is_read_completely():
    stored = one_busy_second()
    live = [a_note(carol, f"live {n}", at=5000 + n) for n in range(20)]
    secret_key = nostr_sdk.Keys.generate().secret_key().to_hex()

    async def scenario() -> None:
        relay = FakeRelay(
            stored,
            cap=500,
            challenge="who?",
            faults={
                1: Drop(after=500),
                2: Close("auth-required: again"),
                4: Silence(after=100),
                5: Say(GARBAGE),
                6: Close("rate-limited: slow down"),
                8: Close("error: cannot read just now"),
            },
            live_during={3: live[:10], 7: live[10:]},
        )
        async with relay.running(), syncing(relay, secret_key=secret_key) as it:
            await it.until(lambda: len(it.book.stored) > 100)
            assert not it.sync.caught_up.is_set()
            await it.until_caught_up()

            assert ids(*stored, *live) == it.stored_ids
            assert 2 == relay.connections
            assert Kind.CLIENT_AUTH == relay.signed_in[0]["kind"]
            assert 1200 <= it.book.saved[0][1]

    assert 1200 == len(stored)
    run(scenario())


@pytest.mark.parametrize("fault", [Drop(), Drop(after=3), Silence(), Silence(after=499)])
def test_a_page_without_an_eose_is_not_taken_for_the_end(fault):
    stored = notes(900)

    async def scenario() -> None:
        async with FakeRelay(stored, faults={1: fault}).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids

    run(scenario())


def test_an_event_that_is_published_during_a_page_and_dated_back_hides_nothing():
    stored = notes(300)
    backdated = a_note(carol, "older than everything", at=-1000)

    async def scenario() -> None:
        relay = FakeRelay(stored, cap=50, live_during={2: [backdated]})
        async with relay.running(), syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored, backdated) == it.stored_ids

    run(scenario())


def test_a_catch_up_that_is_cut_goes_on_where_it_was():
    stored = notes(2000, step=1000)

    async def scenario() -> None:
        relay = FakeRelay(stored, cap=100, faults={n: Drop() for n in range(4, 60, 4)})
        async with relay.running(), syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids
            # From the beginning each time, no connection would have come further than 300 events.
            assert relay.pages < 60

    run(scenario())


def test_a_relay_that_excludes_until_loses_nothing_at_a_page_border():
    stored = [a_note(bob, f"{n}", at=n // 3) for n in range(400)]

    async def scenario() -> None:
        relay = FakeRelay(stored, cap=10, excludes_until=True, empty_filters_match_nothing=True)
        async with relay.running(), syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids

    run(scenario())


def test_a_second_that_cannot_be_read_is_told_and_does_not_stop_the_rest(caplog):
    stored = [*notes(30), *(a_note(bob, f"busy {n}", at=100) for n in range(20))]

    async def scenario() -> None:
        async with FakeRelay(stored, cap=8).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert set(ids(*stored[:30])) < set(it.stored_ids)
            assert 30 + 8 == len(it.stored_ids)

    run(scenario())

    assert "events_unreachable" in caplog.text


def test_one_kind_in_one_second_is_read_by_its_authors():
    busy = [a_note(by, f"{n}", at=100) for n in range(7) for by in (alice, bob, carol)]
    # Each author is known from elsewhere; of the busy second a page shows eight events.
    stored = [*busy, *(a_note(by, "hi", at=200 + n) for n, by in enumerate((alice, bob, carol)))]

    async def scenario() -> None:
        async with FakeRelay(stored, cap=8).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids

    run(scenario())


def test_a_second_of_1200_events_behind_a_cap_of_500_is_read_by_kinds_and_authors():
    busy = [
        an_event(kind, by, content=str(n), at=700)
        for n in range(200)
        for kind in (Kind.NOTE, Kind.REACTION)
        for by in (alice, bob, carol)
    ]
    stored = [*notes(10), *busy, *notes(10, first_at=701)]

    async def scenario() -> None:
        async with FakeRelay(stored, cap=500).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids

    assert 1200 == len(busy)
    run(scenario())


def test_of_a_relay_that_was_never_read_only_the_first_window_is():
    stored = notes(1000)
    times = SyncTimes(first_window=300)

    async def scenario() -> None:
        relay = FakeRelay(stored, cap=50)
        async with relay.running(), syncing(relay, times=times, now=lambda: T + 999.0) as it:
            await it.until_caught_up()

            assert ids(*stored[699:]) == it.stored_ids
            assert Synced(T + 699, T + 999) == it.book.synced

    run(scenario())


# --- Live events ----------------------------------------------------------------------------------


def test_a_live_event_is_stored_whatever_its_date():
    async def scenario() -> None:
        async with FakeRelay(notes(3)).running() as relay, syncing(relay) as it:
            await it.until_caught_up()
            backdated, dated_zero, future = (
                a_note(bob, "old", at=-1_000_000),
                a_note(bob, "1970", at=-T),
                a_note(bob, "tomorrow", at=2_000_000_000),
            )
            await relay.publish(backdated, dated_zero, future)
            await it.until(lambda: len(it.stored_ids) == 6)

            assert set(ids(backdated, dated_zero, future)) < set(it.stored_ids)

    run(scenario())


def test_what_is_missed_while_the_relay_is_away_is_caught_up_with():
    async def scenario() -> None:
        async with FakeRelay(notes(3)).running() as relay, syncing(relay) as it:
            await it.until_caught_up()
            now = int(time.time()) - T
            missed = [a_note(bob, f"missed {n}", at=now + n) for n in range(700)]
            relay.events += missed
            await relay.cut()
            await it.until(lambda: len(it.stored_ids) == 703)
            await it.until(lambda: len(it.book.saved) == 2)

            assert set(ids(*missed)) < set(it.stored_ids)

    run(scenario())


def test_live_events_that_the_relay_dropped_are_found_by_the_next_sweep():
    async def scenario() -> None:
        relay = FakeRelay(notes(3), sends_live_events=False)
        times = SyncTimes(sweep_every=0.1)
        async with relay.running(), syncing(relay, times=times) as it:
            await it.until_caught_up()
            dropped = a_note(bob, "dropped", at=int(time.time()) - T)
            await relay.publish(dropped)
            await it.until(lambda: dropped.id in it.stored_ids)

            assert 1 == relay.connections

    run(scenario())


def test_a_closed_live_subscription_is_opened_again_and_the_gap_is_read():
    async def scenario() -> None:
        async with FakeRelay(notes(3)).running() as relay, syncing(relay) as it:
            await it.until_caught_up()
            await relay.say('["CLOSED","live","error: shutting down"]')
            await it.until(lambda: len(it.book.saved) == 2)
            late = a_note(carol, "late", at=int(time.time()) - T)
            await relay.publish(late)
            await it.until(lambda: late.id in it.stored_ids)

            assert 2 == relay.connections

    run(scenario())


def test_a_live_subscription_that_is_closed_right_after_its_eose_is_not_taken_for_open():
    class Hasty(FakeRelay):
        async def _answer(self, socket, name, filters):
            await super()._answer(socket, name, filters)
            if name == "live" and self.connections == 1:
                await socket.send('["CLOSED","live","error: shutting down"]')

    async def scenario() -> None:
        async with Hasty(notes(3)).running() as relay, syncing(relay) as it:
            await it.until_caught_up()

            assert 2 == relay.connections

    run(scenario())


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_relay_that_never_ends_the_answer_to_the_live_question_is_caught_up_with(is_busy):
    """One that is busy sends events there all the time, which is no reason to wait for more."""
    stored = notes(30)

    async def chatter(relay: FakeRelay) -> None:
        for number in itertools.count():
            await relay.publish(a_note(carol, f"{number}", at=5000))
            await asyncio.sleep(0.05)

    async def scenario() -> None:
        async with FakeRelay(stored, ends_empty_answers=False).running() as relay:
            chattering = asyncio.create_task(chatter(relay)) if is_busy else None
            async with syncing(relay) as it:
                await it.until_caught_up()
            if chattering:
                chattering.cancel()

            assert set(ids(*stored)) <= set(it.stored_ids)
            assert 1 == relay.connections

    run(scenario())


# --- The cursor -----------------------------------------------------------------------------------


def test_the_cursor_moves_to_the_beginning_of_the_catch_up_and_to_no_events_date():
    future = a_note(bob, "2033", at=400_000_000)

    async def scenario() -> None:
        clock = T + 1000.0
        relay = FakeRelay([future, *notes(2)])
        async with relay.running(), syncing(relay, now=lambda: clock) as it:
            await it.until_caught_up()

            assert T + 1000 == it.book.cursor
            assert future.id in it.stored_ids

    run(scenario())


def test_the_cursor_waits_until_everything_is_acknowledged():
    async def scenario() -> None:
        async with FakeRelay(notes(600)).running() as relay, syncing(relay) as it:
            it.is_writable.clear()
            await it.until(lambda: relay.pages >= 3)
            await asyncio.sleep(0.1)
            before = it.book.cursor
            it.is_writable.set()
            await it.until_caught_up()

            assert before is None
            assert 600 == it.book.saved[0][1]

    run(scenario())


def test_a_catch_up_reads_from_the_cursor_less_the_overlap():
    times = SyncTimes(catchup_overlap=100)

    async def scenario() -> None:
        stored = notes(1000)
        async with (
            FakeRelay(stored, cap=50).running() as relay,
            syncing(relay, cursor=T + 900, times=times) as it,
        ):
            await it.until_caught_up()

            assert ids(*stored[800:]) == it.stored_ids
            assert {T + 800} == {asked["since"] for asked in relay.asked}

    run(scenario())


def test_the_overlap_is_not_forgotten_when_a_process_ends_before_it_is_read():
    """It had a gap to close first, and that moved the cursor by more than the overlap."""
    backdated = a_note(bob, "came in while nobody was connected", at=950_000)
    times = SyncTimes(catchup_overlap=100_000, page_silence=0.2)
    before = Synced(0, T + 1_000_000, gaps=((0, T + 500),))

    async def scenario() -> None:
        relay = FakeRelay([backdated], faults={page: Silence() for page in range(3, 9)})
        async with relay.running():
            async with syncing(
                relay, cursor=before, times=times, now=lambda: T + 10_000_000.0
            ) as it:
                await it.until(lambda: relay.pages == 3 and it.book.cursor == T + 10_000_000)
                left = it.book.synced
            relay.faults.clear()
            async with syncing(relay, cursor=left, times=times, now=lambda: T + 10_000_100.0) as it:
                await it.until_caught_up()

                assert [backdated.id] == it.stored_ids

    run(scenario())


# --- Bad relays -----------------------------------------------------------------------------------


def test_garbage_and_forgeries_are_counted_and_stepped_over():
    genuine = a_note(alice, "genuine", at=10)
    never_genuine = forged(a_note(alice, "another", at=11))

    async def scenario() -> None:
        relay = FakeRelay([forged(genuine), never_genuine], faults={1: Say(GARBAGE)})
        async with relay.running(), syncing(relay) as it:
            await it.until_caught_up()
            await relay.publish(genuine)
            await it.until(lambda: len(it.stored_ids) == 1)

            assert [genuine.id] == it.stored_ids
            assert 1 == relay.connections

    run(scenario())


def test_of_events_that_are_merely_not_wanted_no_sample_is_kept():
    private = [an_event(kind, at=n) for n, kind in enumerate(sorted(PRIVATE_KINDS))]
    broken = forged(a_note(bob))

    async def scenario() -> None:
        async with (
            FakeRelay([*private, an_event(20_001), broken]).running() as relay,
            syncing(relay) as it,
        ):
            await it.until_caught_up()

            assert {"id_mismatch"} == {sample.reason for sample in it.samples.take()}

    run(scenario())


def test_without_a_key_a_relay_that_wants_a_sign_in_is_refused_and_not_taken_for_empty(caplog):
    async def scenario() -> None:
        relay = FakeRelay(notes(5), challenge="who?")
        async with relay.running(), syncing(relay) as it:
            await it.until(lambda: relay.connections >= 2 and it.sync.is_refused)

            assert Relay.State.REFUSED in it.book.states
            assert it.book.cursor is None
            assert not it.sync.caught_up.is_set()

    run(scenario())

    assert "RELAY_SECRET_KEY is not set" in caplog.text


def test_a_relay_that_ignores_until_is_never_taken_for_complete():
    class Stubborn(FakeRelay):
        def _matches(self, event, asked):
            return True

    async def scenario() -> None:
        relay = Stubborn(notes(30), cap=10)
        async with relay.running(), syncing(relay, cursor=T + 500_000) as it:
            await it.until(lambda: relay.connections >= 3)

            assert T + 500_000 == it.book.cursor

    run(scenario())


def test_a_frame_beyond_all_limits_costs_the_connection_and_nothing_else():
    stored = notes(5)

    async def scenario() -> None:
        async with (
            FakeRelay(stored, faults={1: Say(("x" * (9 * 2**20),))}).running() as relay,
            syncing(relay) as it,
        ):
            await it.until_caught_up()

            assert ids(*stored) == it.stored_ids
            assert 2 == relay.connections

    run(scenario())


def test_while_nothing_can_be_written_memory_is_bounded_and_the_relay_has_to_wait():
    limits = BatchLimits(rows=10, age_seconds=0.01, spacing_seconds=0, growth=3)

    async def scenario() -> None:
        stored = notes(1000)
        async with FakeRelay(stored).running() as relay, syncing(relay, limits=limits) as it:
            it.is_writable.clear()
            await asyncio.sleep(0.3)
            most = it.intake.unacknowledged
            it.is_writable.set()
            await it.until_caught_up()

            assert 30 <= most <= 60
            assert ids(*stored) == it.stored_ids

    run(scenario())
