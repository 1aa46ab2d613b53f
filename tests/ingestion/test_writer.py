"""Batches into a real ClickHouse: once each, none lost, what is poisonous alone."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import pytest
import structlog

from clickhouse_schema.projector import Projector
from funnel.clickhouse import (
    Clickhouse,
    ClickhouseError,
    ClickhouseRefused,
    ClickhouseTimeout,
    ClickhouseUnavailable,
)
from funnel.nostr import Event, Kind, has_valid_embedded_event
from funnel.sql import parse_query
from ingestion.metrics import WRITES_FAILED
from ingestion.pipeline import Accepted
from ingestion.vanish import VanishBarriers
from ingestion.writer import BARRIER_REFRESH_SECONDS, EventWriter, WriteAbandoned, WriteResult
from tests.builders import (
    T,
    a_note,
    a_reaction,
    a_repost,
    a_vanish,
    a_video,
    a_view,
    alice,
    an_event,
    as_json,
    bob,
    carol,
)

NOW = float(T + 1000)

EVENTS = parse_query(
    "tests.events",
    """-- Everything that is stored, as rows and as events.
    SELECT id, pubkey, created_at, kind, tags, content, sig, embedded
    FROM events_local FINAL
    ORDER BY id
    """,
)
VIEWS = parse_query("tests.views", "-- View events.\nSELECT id FROM view_events_local ORDER BY id")
BARRIERS = parse_query(
    "tests.barriers", "-- Barriers.\nSELECT pubkey, until FROM vanish_barriers ORDER BY pubkey"
)
REACTIONS = parse_query(
    "tests.reactions", "-- What is counted.\nSELECT reactions FROM video_stats FINAL"
)
PARTS = parse_query(
    "tests.arrivals", "-- Rows that a materialized view has made.\nSELECT id FROM arrivals"
)


def accepted(*events: Event) -> list[Accepted]:
    return [Accepted(event, False, 500) for event in events]


def a_writer(
    clickhouse: Clickhouse | Stumbling, *, now: float = NOW, own: tuple[str, ...] = ()
) -> EventWriter:
    return EventWriter(
        clickhouse,
        barriers=VanishBarriers(own),
        give_up=threading.Event(),
        now=lambda: now,
    )


def stored_ids(clickhouse: Clickhouse) -> list[str]:
    return [row["id"] for row in clickhouse.select(EVENTS, {})]


def ids(*events: Event) -> list[str]:
    return sorted(event.id for event in events)


def test_an_event_comes_out_as_it_went_in(clickhouse):
    odd = an_event(
        Kind.NOTE,
        content="NUL \x00, quotes '\"`, \\, 猫, \u202e, {x:String}",
        tags=[["t", ""], ["x", "\t\n\x00", "😀"], ["only"]],
    )

    a_writer(clickhouse).write([Accepted(odd, True, 300)])

    row = clickhouse.select(EVENTS, {})[0]
    tags = [list(tag) for tag in row.pop("tags")]
    assert as_json(odd) | {"embedded": 1} == row | {"tags": tags}


def test_a_batch_is_one_line_with_the_id_that_its_statements_carry(clickhouse, caplog):
    class Listening(Stumbling):
        def insert(self, *args, **kwargs):
            heard.append(structlog.contextvars.get_contextvars()["request_id"])
            return super().insert(*args, **kwargs)

    heard: list[str] = []
    writer = a_writer(Listening(clickhouse, [], after=False))

    with caplog.at_level(logging.INFO):
        writer.write(accepted(a_video(), a_view(a_video())))
        writer.write(accepted(a_note(bob)))

    lines = [record.msg for record in caplog.records if record.name == "ingestion.writer"]
    assert [("batch_written", 2), ("batch_written", 1)] == [
        (line["event"], line["events"]) for line in lines
    ]
    assert [lines[0]["request_id"]] * 2 + [lines[1]["request_id"]] == heard
    assert lines[0]["request_id"] != lines[1]["request_id"]


def test_views_are_kept_apart(clickhouse):
    video = a_video()
    view = a_view(video)

    a_writer(clickhouse).write(accepted(video, view))

    assert [video.id] == stored_ids(clickhouse)
    assert [{"id": view.id}] == clickhouse.select(VIEWS, {})


def test_the_same_batch_twice_is_stored_once_and_seen_once_by_the_views(clickhouse):
    batch = accepted(*(a_note(bob, f"{n}") for n in range(50)))
    writer = a_writer(clickhouse)

    writer.write(batch)
    writer.write(batch)

    assert 50 == len(stored_ids(clickhouse))
    assert 50 == len(clickhouse.select(PARTS, {}))


# --- Poison ---------------------------------------------------------------------------------------


@pytest.fixture
def picky(clickhouse: Clickhouse) -> Iterator[Clickhouse]:
    """A ClickHouse that refuses events whose content says so."""
    clickhouse.command(
        "ALTER TABLE events_local ADD CONSTRAINT no_poison CHECK content != 'poison'"
    )
    yield clickhouse
    clickhouse.command("ALTER TABLE events_local DROP CONSTRAINT no_poison")


def test_a_poisonous_event_is_left_alone_and_all_others_are_stored(picky):
    good = [a_note(bob, f"{n}") for n in range(20)]
    poison = [a_note(bob, "poison", at=1), a_note(carol, "poison", at=2)]

    result = a_writer(picky).write(accepted(*good[:7], poison[0], *good[7:], poison[1]))

    assert ids(*good) == stored_ids(picky)
    assert poison == [refused.event for refused in result.refused]


def test_when_every_event_is_refused_the_table_is_to_blame_and_nothing_is_given_up(picky):
    """As far as nothing is known of it; a lone event would wait for ever."""
    batch = accepted(a_note(bob, "poison", at=1), a_note(bob, "poison", at=2))
    writer = a_writer(picky)
    threading.Timer(0.3, writer._give_up.set).start()

    with pytest.raises(WriteAbandoned):
        writer.write(batch)

    assert writer.is_failing
    assert batch[:1] == a_writer(picky).write(batch[:1]).refused


def test_what_is_refused_altogether_is_to_blame_where_the_table_takes_a_stored_row(picky):
    stored = a_note(bob, "good")
    batch = accepted(a_note(bob, "poison", at=1), a_note(bob, "poison", at=2))
    writer = a_writer(picky)
    writer.write(accepted(stored))
    before = picky.select(EVENTS, {})

    for _ in range(2):
        assert batch == writer.write(batch).refused

    assert not writer.is_failing
    assert before == picky.select(EVENTS, {})


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("table", ["events_local", "view_events_local"])
def test_no_event_is_given_up_while_a_table_takes_nothing(clickhouse, table, number):
    video = a_video()
    made = a_view if table == "view_events_local" else a_reaction
    batch = accepted(*(made(video, carol, at=n) for n in range(number)))
    writer = a_writer(clickhouse)
    writer.write(accepted(video, a_view(video)))
    failed = WRITES_FAILED._value.get()
    clickhouse.command(f"ALTER TABLE {table} ADD CONSTRAINT nothing CHECK pubkey = ''")
    writing = threading.Thread(target=lambda: results.append(writer.write(batch)))
    results: list[WriteResult] = []
    try:
        writing.start()
        deadline = time.monotonic() + 20
        while WRITES_FAILED._value.get() < failed + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert writer.is_failing
    finally:
        with contextlib.closing(Clickhouse(clickhouse.settings)) as door:
            door.command(f"ALTER TABLE {table} DROP CONSTRAINT nothing")
        writing.join()

    assert [WriteResult()] == results
    assert not writer.is_failing
    stored = {row["id"] for row in clickhouse.select(EVENTS, {}) + clickhouse.select(VIEWS, {})}
    assert {item.event.id for item in batch} < stored


def test_nobody_who_asked_to_vanish_comes_back_by_trying_the_table(picky):
    gone = a_note(bob, "erased in a moment")
    writer = a_writer(picky)
    writer.write(accepted(gone))
    picky.insert("vanish_barriers", ("pubkey", "until"), [(bob.pubkey, T)])

    result = writer.write(accepted(a_note(carol, "poison")))

    assert 1 == len(result.refused)
    assert 1 == len(picky.select(PARTS, {}))


# --- A ClickHouse that is not there ---------------------------------------------------------------


class Stumbling:
    """A real door through which the first few inserts do not come."""

    def __init__(self, door: Clickhouse, failures: list[ClickhouseError], *, after: bool) -> None:
        self._door = door
        self._failures = failures
        self._after = after

    def select(self, query, params):
        return self._door.select(query, params)

    def execute(self, query, params):
        self._door.execute(query, params)

    def insert(self, table, columns, rows, *, deduplication_token=""):
        if self._failures and self._after:
            self._door.insert(table, columns, rows, deduplication_token=deduplication_token)
        if self._failures:
            raise self._failures.pop()
        return self._door.insert(table, columns, rows, deduplication_token=deduplication_token)


@pytest.mark.parametrize("after", [False, True])
def test_an_insert_whose_answer_is_lost_is_repeated_and_counts_once(clickhouse, after):
    failures: list[ClickhouseError] = [ClickhouseUnavailable(210), ClickhouseTimeout(209)]
    batch = [a_note(bob, f"{n}") for n in range(10)]

    a_writer(Stumbling(clickhouse, failures, after=after)).write(accepted(*batch))

    assert ids(*batch) == stored_ids(clickhouse)
    # Each attempt that may have got through lets them arrive once more.
    assert ids(*batch) == sorted({row["id"] for row in clickhouse.select(PARTS, {})})
    assert 20 == len(clickhouse.select(PARTS, {}))


class HalfWay(Stumbling):
    """A ClickHouse that dies when the events are in, and have arrived, but not the acts."""

    projector: Projector

    def insert(self, table, columns, rows, *, deduplication_token=""):
        try:
            return super().insert(table, columns, rows, deduplication_token=deduplication_token)
        except ClickhouseUnavailable:
            for facts in ("engagement", "engagement_targets"):
                self._door.command(f"TRUNCATE TABLE {facts}")
            # An outage that is longer than arrivals take to settle.
            self.projector.settle_ms = -1000
            for _ in ("for freshness", "for good"):
                self.projector.catch_up(now=int(NOW))
            raise


def test_an_insert_that_reached_some_tables_alone_counts_once_it_is_repeated(clickhouse):
    video = a_video(alice, "v1")
    door = HalfWay(clickhouse, [ClickhouseUnavailable(210)], after=True)
    door.projector = Projector(clickhouse, lag_seconds=-1)
    a_writer(clickhouse).write(accepted(video))

    a_writer(door).write(accepted(a_reaction(video, bob)))
    door.projector.catch_up(now=int(NOW))

    assert [{"reactions": 1}] == clickhouse.select(REACTIONS, {})


def test_another_process_repeats_an_insert_whole(clickhouse):
    """What it finds half done it can't know, so its insert is a new one in every table."""
    batch = accepted(*(a_note(bob, f"{n}") for n in range(5)))

    a_writer(clickhouse).write(batch)
    a_writer(clickhouse).write(batch)

    assert 5 == len(stored_ids(clickhouse))
    assert 10 == len(clickhouse.select(PARTS, {}))


def test_a_writer_that_is_told_to_give_up_does_so_within_a_moment():
    nowhere = Clickhouse(
        {
            "host": "127.0.0.1",
            "port": 9,
            "secure": False,
            "user": "default",
            "password": "",
            "database": "",
            "connect_seconds": 1,
            "query_seconds": 1,
            "readonly": False,
        }
    )
    writer = a_writer(nowhere)
    threading.Timer(0.2, writer._give_up.set).start()
    began = time.monotonic()

    with pytest.raises(WriteAbandoned):
        writer.write(accepted(a_note()))

    assert time.monotonic() - began < 5


# --- Requests to vanish (NIP-62) ------------------------------------------------------------------


def test_a_request_to_vanish_bars_what_is_older_in_any_order(clickhouse):
    older, later = a_note(bob, "older", at=50), a_note(bob, "later", at=51)
    request = a_vanish(bob, at=50)
    writer = a_writer(clickhouse)

    first = writer.write(accepted(older, request, later, a_note(carol, at=1)))
    second = writer.write(accepted(a_reaction(a_video(), bob, at=2), a_view(a_video(), bob, at=3)))

    assert ids(request, later, a_note(carol, at=1)) == stored_ids(clickhouse)
    assert [older] == [item.event for item in first.vanished]
    assert 2 == len(second.vanished)
    assert [{"pubkey": bob.pubkey, "until": T + 50}] == clickhouse.select(BARRIERS, {})


@pytest.mark.parametrize(
    ("relay", "concerns_us"),
    [
        ("ALL_RELAYS", True),
        ("all_relays", False),
        ("wss://Relay.Example/", True),
        ("ws://relay.example", True),
        ("https://funnel.example", True),
        ("wss://other.example", False),
        ("wss://relay.example.evil.example", False),
        ("", False),
        ("::", False),
    ],
)
def test_only_a_request_that_names_us_counts(clickhouse, relay, concerns_us):
    writer = a_writer(clickhouse, own=("wss://relay.example", "https://funnel.example/"))

    writer.write(accepted(a_vanish(bob, relay), a_note(bob, at=1)))

    assert concerns_us == (a_note(bob, at=1).id not in stored_ids(clickhouse))


def test_a_request_from_the_future_waits(clickhouse):
    writer = a_writer(clickhouse)
    note = a_note(bob, at=1)

    writer.write(accepted(a_vanish(bob, at=100_000), note))

    assert note.id in stored_ids(clickhouse)
    assert [] == clickhouse.select(BARRIERS, {})


def test_a_barrier_that_somebody_else_raised_holds_after_a_few_seconds(clickhouse):
    clock = NOW
    writer = EventWriter(
        clickhouse,
        barriers=VanishBarriers(()),
        give_up=threading.Event(),
        now=lambda: clock,
    )
    writer.write(accepted(a_note(alice)))
    clickhouse.insert("vanish_barriers", ("pubkey", "until"), [(bob.pubkey, T + 50)])
    clock += BARRIER_REFRESH_SECONDS

    result = writer.write(accepted(a_note(bob, at=50)))

    assert 1 == len(result.vanished)


def test_an_embedded_event_is_told_apart_from_a_forged_one(clickhouse):
    repost = a_repost(a_video(), embedded=True)

    a_writer(clickhouse).write([Accepted(repost, has_valid_embedded_event(repost), 100)])

    assert [1] == [row["embedded"] for row in clickhouse.select(EVENTS, {})]


def test_refusals_of_the_door_are_what_the_writer_takes_for_poison(picky):
    row: tuple[object, ...] = (a_note(bob, "poison").id, bob.pubkey, T, 1, [], "poison", "", 0)

    with pytest.raises(ClickhouseRefused):
        picky.insert(
            "events_local",
            ("id", "pubkey", "created_at", "kind", "tags", "content", "sig", "embedded"),
            [row],
        )
