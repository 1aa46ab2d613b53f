"""Reading backwards through relays that give little at a time."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.nostr import MAX_CREATED_AT
from ingestion.gaps import Gap
from ingestion.messages import Filter
from ingestion.paging import Page, Pager, PageRefused, RelayMisbehaved

AUTHORS = ("aa", "bb", "cc")
KINDS = (1, 7, 34236)


@dataclass(frozen=True, order=True)
class Stored:
    """What paging sees of an event."""

    created_at: int
    number: int
    kind: int = 1
    pubkey: str = "aa"

    @property
    def id(self) -> str:
        return f"{self.created_at}-{self.number}-{self.kind}"


def as_sent(event: Stored) -> dict[str, object]:
    return {
        "id": event.id,
        "created_at": event.created_at,
        "kind": event.kind,
        "pubkey": event.pubkey,
    }


@dataclass
class ShortRelay:
    """Answers a filter with its newest `cap` events; remembers what it has shown."""

    events: list[Stored]
    cap: int
    excludes_until: bool = False
    max_authors: int = 1000
    shown: set[Stored] = field(default_factory=set)
    asked: list[Filter] = field(default_factory=list)

    async def fetch(self, asked: Filter, since: int, until: int) -> Page:
        self.asked.append(asked)
        if len(asked.get("authors", [])) > self.max_authors:
            raise PageRefused("too many authors")
        matching = [
            event
            for event in sorted(self.events, key=lambda event: (-event.created_at, event.number))
            if asked.get("since", 0)
            <= event.created_at
            <= asked.get("until", 2**63) - self.excludes_until
            and event.kind in asked.get("kinds", [event.kind])
            and event.pubkey in asked.get("authors", [event.pubkey])
        ]
        page = Page(since, until)
        for event in matching[: min(self.cap, asked["limit"])]:
            self.shown.add(event)
            page.note(as_sent(event))
        return page


@dataclass
class Told:
    """The seconds that the pager has warned of."""

    crowded: list[int] = field(default_factory=list)
    unproven: list[int] = field(default_factory=list)
    unreachable: list[int] = field(default_factory=list)


def a_pager(told: Told, kinds: frozenset[int] | None = None) -> Pager:
    return Pager(
        kinds=kinds,
        on_crowded=told.crowded.append,
        on_unproven=told.unproven.append,
        on_unreachable=told.unreachable.append,
    )


def read(relay: ShortRelay, gap: Gap | None = None) -> Told:
    told = Told()
    asyncio.run(a_pager(told).walk(gap or Gap(0, MAX_CREATED_AT), relay.fetch))
    return told


many_events = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(KINDS), st.sampled_from(AUTHORS)), max_size=40
).map(
    lambda rows: [
        Stored(at, number, kind, author) for number, (at, kind, author) in enumerate(rows)
    ]
)


@given(events=many_events, cap=st.integers(1, 8), excludes_until=st.booleans())
def test_no_event_is_left_out_of_a_second_that_was_not_warned_of(events, cap, excludes_until):
    relay = ShortRelay(events, cap, excludes_until=excludes_until)

    told = read(relay)

    missing = {event.created_at for event in set(events) - relay.shown}
    # Of a relay whose every event is from one second, nothing says that its page was cut.
    one_second = len({event.created_at for event in events}) == 1
    assert missing <= set(told.crowded) or one_second
    assert set(told.unreachable) <= set(told.crowded)
    assert missing <= {*told.unproven, *told.unreachable} or one_second


@given(events=many_events, excludes_until=st.booleans())
def test_a_relay_whose_pages_hold_any_second_is_read_completely(events, excludes_until):
    fullest = max((sum(e.created_at == at for e in events) for at in range(4)), default=0)
    relay = ShortRelay(events, cap=2 * fullest + 1, excludes_until=excludes_until)

    told = read(relay)

    assert set(events) == relay.shown
    assert [] == told.crowded


@given(
    events=many_events,
    cap=st.integers(1, 8),
    excludes_until=st.booleans(),
    pages=st.lists(st.integers(1, 6), max_size=3),
)
def test_a_walk_that_other_processes_go_on_with_leaves_nothing_out(
    events, cap, excludes_until, pages
):
    """Of a walk that was killed, the next process knows the gap and nothing of the relay."""
    relay = ShortRelay(events, cap, excludes_until=excludes_until)
    gap = Gap(0, MAX_CREATED_AT)
    crowded: set[int] = set()

    for pages_until_killed in [*pages, 1_000]:
        told = Told()
        left = pages_until_killed

        async def fetch(asked: Filter, since: int, until: int) -> Page:
            nonlocal left
            if left == 0:
                raise ConnectionError
            left -= 1
            return await relay.fetch(asked, since, until)

        with contextlib.suppress(ConnectionError):
            asyncio.run(a_pager(told).walk(gap, fetch))
        crowded |= set(told.crowded)

    missing = {event.created_at for event in set(events) - relay.shown}
    one_second = len({event.created_at for event in events}) == 1
    assert gap.is_closed
    assert missing <= crowded or one_second


def test_a_walk_stays_within_its_gap():
    events = [Stored(at, at) for at in range(100)]
    relay = ShortRelay(events, cap=7)

    read(relay, Gap(30, 59))

    # One second more, because there are relays that exclude `until`.
    assert set(events[30:60]) <= relay.shown <= set(events[30:61])
    assert all(asked["since"] == 30 for asked in relay.asked)


def test_every_question_has_a_condition_and_none_names_the_end_of_time():
    """Relays are known that answer with nothing otherwise, and an EOSE."""
    relay = ShortRelay([Stored(at, at) for at in (5, 8, 9)], cap=500)

    read(relay)

    assert all("since" in asked for asked in relay.asked)
    assert all(asked.get("until", 0) < 2**31 for asked in relay.asked)


def test_a_small_relay_is_read_in_three_questions():
    relay = ShortRelay([Stored(at, at) for at in (5, 8, 9)], cap=500)

    read(relay)

    assert 3 == len(relay.asked)


def test_a_walk_that_fails_leaves_the_gap_as_far_as_it_was_proven():
    events = [Stored(at, at) for at in range(100)]
    relay = ShortRelay(events, cap=10)
    gap = Gap(0, MAX_CREATED_AT)
    answers = 0

    async def fetch(asked: Filter, since: int, until: int) -> Page:
        nonlocal answers
        answers += 1
        if answers == 4:
            raise ConnectionError
        return await relay.fetch(asked, since, until)

    with pytest.raises(ConnectionError):
        asyncio.run(a_pager(Told()).walk(gap, fetch))

    assert Gap(0, min(event.created_at for event in relay.shown)) == gap


def test_a_refused_question_within_a_second_is_told_and_the_walk_goes_on():
    events = [Stored(5, n, pubkey=f"{n:02x}") for n in range(40)]
    older = [Stored(at, 100 + at) for at in range(5)]
    relay = ShortRelay([*events, *older], cap=10, max_authors=0)

    told = read(relay)

    assert set(older) < relay.shown
    assert {5} == set(told.unreachable)


def test_events_from_another_time_than_asked_for_prove_nothing():
    async def fetch(asked: Filter, since: int, until: int) -> Page:
        page = Page(since, until)
        page.note({"created_at": 5, "kind": 1, "pubkey": "aa"})
        return page

    pager = a_pager(Told())

    with pytest.raises(RelayMisbehaved):
        asyncio.run(pager.walk(Gap(1000, 2000), fetch))


@pytest.mark.parametrize(
    "raw", [None, [], "x", {}, {"created_at": "5"}, {"created_at": True}, {"created_at": 5.0}]
)
def test_an_event_without_a_date_does_not_move_the_page(raw):
    page = Page(0, 10)

    page.note(raw)

    assert (1, None) == (page.total, page.oldest)


def test_chosen_kinds_are_asked_for_on_every_page():
    events = [Stored(at, at, kind) for at in range(20) for kind in KINDS]
    relay = ShortRelay(events, cap=5)
    pager = a_pager(Told(), frozenset({7, 1}))

    asyncio.run(pager.walk(Gap(0, MAX_CREATED_AT), relay.fetch))

    assert {1, 7} == {event.kind for event in relay.shown}
    assert all([1, 7] == asked["kinds"] for asked in relay.asked)


@pytest.mark.parametrize("is_heard_first", [False, True])
def test_an_event_that_was_published_meanwhile_proves_nothing_of_what_was_stored(is_heard_first):
    """It is dated back, so all that lies between would seem to be read."""
    stored, backdated = [Stored(at, at) for at in (8, 9)], Stored(2, 2)
    page = Page(0, 9)

    if is_heard_first:
        page.live_ids.add(backdated.id)
    for event in (*stored, backdated):
        page.note(as_sent(event))
    page.live_ids.add(backdated.id)

    assert (3, 2, 8, 1, 1) == (
        page.total,
        page.proven,
        page.oldest,
        page.at_oldest,
        page.at_until,
    )


def test_an_event_that_was_published_meanwhile_does_not_show_that_a_page_was_cut():
    """It is stored by the time that the next page is asked for."""
    backdated = Stored(2, 2)
    relay = ShortRelay([Stored(9, 9), Stored(8, 8)], cap=500)

    async def fetch(asked: Filter, since: int, until: int) -> Page:
        if len(relay.asked) < 2:
            return await relay.fetch(asked, since, until)
        page = await relay.fetch(asked, since, until)
        if backdated not in relay.events:
            relay.events.append(backdated)
            page.note(as_sent(backdated))
            page.live_ids.add(backdated.id)
        return page

    told = Told()
    pager = a_pager(told)
    asyncio.run(pager.walk(Gap(0, 9), fetch))

    assert (Told(), 0) == (told, pager._cap)


def test_a_page_whose_every_event_came_live_too_is_not_taken_for_an_empty_one():
    page = Page(0, 9)
    for event in (Stored(8, 8), Stored(7, 7)):
        page.note(as_sent(event))
        page.live_ids.add(event.id)

    assert (2, 7) == (page.proven, page.oldest)


def test_a_relay_that_includes_until_is_known_again_after_the_event_at_a_border_was_deleted():
    """While it was taken for one that excludes it, `below` brought the crowded second alone."""
    border, crowded = Stored(20, 0), [Stored(10, n, pubkey=f"{n % 3}") for n in range(1, 15)]
    older = [Stored(at, 100 + at) for at in range(5)]
    newer = [Stored(at, 200 + at) for at in range(22, 30)]
    relay = ShortRelay([border, *crowded, *older, *newer], cap=4)

    async def fetch(asked: Filter, since: int, until: int) -> Page:
        page = await relay.fetch(asked, since, until)
        if border in relay.events and border in relay.shown:
            relay.events.remove(border)
        return page

    told = Told()
    asyncio.run(a_pager(told).walk(Gap(0, MAX_CREATED_AT), fetch))

    assert {*older, *newer} < relay.shown
    assert [10] == told.crowded


@pytest.mark.parametrize("number", [3, 10])
def test_events_that_are_dated_in_milliseconds_hide_nothing(number):
    """Whether or not they fill the first page, which ends nowhere."""
    nonsense = [Stored(1_700_000_000_000 + n, n) for n in range(number)]
    events = [Stored(at, 100 + at) for at in range(25)]
    relay = ShortRelay([*nonsense, *events], cap=10)

    read(relay)
    read(relay, Gap(24, MAX_CREATED_AT))

    assert set(events) < relay.shown
    assert all(asked.get("until", 0) < 2**31 for asked in relay.asked)


def test_only_what_was_read_by_kinds_that_are_configured_is_proven():
    by_kind = [Stored(5, 10 * kind + n, kind) for kind in (1, 7) for n in range(3)]
    by_author = [Stored(8, n, 1, author) for n, author in enumerate(AUTHORS * 3)]
    relay = ShortRelay([*by_kind, *by_author, Stored(2, 1)], cap=4)
    of_some_kinds, of_any_kind = Told(), Told()

    asyncio.run(a_pager(of_some_kinds, frozenset({1, 7})).walk(Gap(0, 10), relay.fetch))
    asyncio.run(a_pager(of_any_kind).walk(Gap(0, 10), relay.fetch))

    assert ([8, 5], {8}) == (of_some_kinds.crowded, set(of_some_kinds.unproven))
    assert {8, 5} == set(of_any_kind.unproven)
