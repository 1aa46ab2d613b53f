"""`manage.py vanish`: what a person has published goes from every table and stays out."""

from __future__ import annotations

import io
from typing import Any

import nostr_sdk
import pytest
from django.core.management import CommandError, call_command

from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from tests.builders import (
    T,
    a_comment,
    a_profile,
    a_reaction,
    a_vanish,
    a_video,
    a_view,
    address,
    alice,
    an_event,
    as_json,
    bob,
    bookmarks,
    carol,
    follows,
)
from tests.clickhouse_schema.lively_day import answers, rows
from tests.delivery import Delivery

# What somebody has marked as read goes from Django's database.
pytestmark = pytest.mark.django_db

NOW = T + 100_000
UNTIL = T + 50

VIDEO = a_video(alice, "v1", title="cats")
BEFORE = (
    a_video(bob, "mine", title="of bob"),
    a_reaction(VIDEO, bob),
    a_comment(VIDEO, bob),
    a_view(VIDEO, bob, phase="start", session="s1"),
    a_profile(bob, name="Bob"),
    bookmarks(bob, VIDEO),
    follows(bob, alice),
    an_event(Kind.GIFT_WRAP, carol, tags=[("p", bob.pubkey)], at=3),
)
AFTER = a_video(bob, "mine", title="bob again", at=51)
OTHERS = (VIDEO, a_reaction(VIDEO, carol), a_reaction(BEFORE[0], carol))

PUBKEY_COLUMNS = parse_query(
    "tests.pubkey_columns",
    """-- Tables that say whose something is, and whether they date it.
    SELECT
        table,
        countIf(name = 'created_at') AS dated
    FROM system.columns
    WHERE database = currentDatabase()
        AND table IN (
            SELECT name
            FROM system.tables
            WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
        )
    GROUP BY table
    HAVING countIf(name = 'pubkey') > 0
    """,
)


@pytest.fixture
def delivery(clickhouse: Clickhouse, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    monkeypatch.setattr("funnel.clock.now", lambda: NOW)
    delivery = Delivery(clickhouse, now=NOW)
    delivery.deliver([raws(*BEFORE, AFTER, *OTHERS)])
    return delivery


def raws(*events: Event) -> list[dict[str, Any]]:
    return [as_json(event) for event in events]


def vanish(*arguments: str) -> None:
    call_command("vanish", bob.pubkey, f"--until={UNTIL}", "--yes", *arguments)


def held(door: Clickhouse) -> set[str]:
    """Tables with something of bob that is not after the barrier, the barrier itself left out."""
    tables = {row["table"]: row["dated"] for row in door.select(PUBKEY_COLUMNS, {})}
    assert {"events_local", "engagement", "video_stats", "touched_lists"} <= tables.keys()
    return {
        table
        for table, dated in tables.items()
        if table not in ("vanish_barriers", "erasures")
        for row in rows(door, table)
        if row["pubkey"] == bob.pubkey and not (dated and row["created_at"] > UNTIL)
    }


def stats(door: Clickhouse) -> dict[str, dict[str, Any]]:
    return {row["video_key"]: row for row in rows(door, "video_stats")}


def test_nothing_is_left_in_any_table(delivery):
    assert len(held(delivery.clickhouse)) > 10

    vanish()

    assert held(delivery.clickhouse) == set()
    ids = {event.id for event in BEFORE}
    for table, column in (("events_local", "id"), ("playback_targets", "event_id"), ("due", "id")):
        assert not ids & {row[column] for row in rows(delivery.clickhouse, table)}


def test_what_the_person_did_counts_no_more(delivery):
    before = stats(delivery.clickhouse)[address(VIDEO)]

    vanish()

    after = stats(delivery.clickhouse)[address(VIDEO)]
    counts = ("likes", "comments", "views", "bookmarks")
    assert [2, 1, 1, 1] == [before[name] for name in counts]
    assert [1, 0, 0, 0] == [after[name] for name in counts]


def test_what_is_later_stays(delivery):
    vanish()

    assert "bob again" == stats(delivery.clickhouse)[address(AFTER)]["title"]


def test_redelivery_stays_out(delivery):
    door = delivery.clickhouse
    vanish()
    after = answers(door)

    delivery.deliver([raws(*BEFORE[:7])])

    assert held(door) == set()
    assert after == answers(door)


def test_what_comes_in_behind_the_writer_is_erased_by_the_next_pass(delivery):
    door = delivery.clickhouse
    vanish()
    after = answers(door)
    door.insert(
        "events_local",
        ("id", "pubkey", "created_at", "kind", "tags", "content", "sig", "embedded"),
        [
            (e.id, e.pubkey, e.created_at, e.kind, e.tags, e.content, e.sig, 0)
            for e in BEFORE
            if e.kind not in (Kind.VIEW, Kind.GIFT_WRAP)
        ],
    )
    view = next(event for event in BEFORE if event.kind == Kind.VIEW)
    door.insert(
        "view_events_local",
        ("id", "pubkey", "created_at", "tags", "content", "sig"),
        [(view.id, view.pubkey, view.created_at, view.tags, view.content, view.sig)],
    )
    assert held(door)

    delivery.project()

    assert held(door) == set()
    assert after == answers(door)


def test_it_may_be_run_again_and_later_for_more(delivery):
    door = delivery.clickhouse
    vanish()
    vanish()

    call_command("vanish", bob.pubkey, "--yes")

    assert address(AFTER) not in stats(door)
    assert {UNTIL, NOW} == {row["until"] for row in rows(door, "vanish_barriers")}


def test_it_says_what_was_erased(delivery, capsys):
    vanish()

    said = capsys.readouterr().out
    assert "events_local: 7 rows erased" in said
    assert "view_events_local: 1 rows erased" in said
    assert f"Nothing of {bob.pubkey} up to {UNTIL} is accepted any more." in said


def test_an_npub_is_a_pubkey_too(delivery):
    npub = nostr_sdk.PublicKey.parse(bob.pubkey).to_bech32()

    call_command("vanish", npub, f"--until={UNTIL}", "--yes")

    assert held(delivery.clickhouse) == set()


@pytest.mark.parametrize("answer", ["", "y", "no"])
def test_nothing_happens_without_a_yes(answer, delivery, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: answer)
    before = rows(delivery.clickhouse, "events_local")

    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("vanish", bob.pubkey)

    assert before == rows(delivery.clickhouse, "events_local")
    assert [] == rows(delivery.clickhouse, "vanish_barriers")


def test_a_yes_erases(delivery, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "yes")

    call_command("vanish", bob.pubkey, f"--until={UNTIL}")

    assert held(delivery.clickhouse) == set()


def test_without_a_terminal_nothing_happens(delivery, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("vanish", bob.pubkey)

    assert [] == rows(delivery.clickhouse, "vanish_barriers")


@pytest.mark.parametrize("typed", ["bob", bob.pubkey[:-1], bob.pubkey.upper(), "nsec1" + "q" * 58])
def test_what_is_no_pubkey_is_refused_and_not_repeated(typed, clickhouse):
    with pytest.raises(CommandError, match="The pubkey is not a") as refused:
        call_command("vanish", typed, "--yes")

    assert typed not in str(refused.value)
    assert [] == rows(clickhouse, "vanish_barriers")


@pytest.mark.parametrize("until", [-1, NOW + 1])
def test_a_time_that_is_none_or_to_come_is_refused(until, clickhouse, monkeypatch):
    monkeypatch.setattr("funnel.clock.now", lambda: NOW)

    with pytest.raises(CommandError, match="--until is a Unix second"):
        call_command("vanish", bob.pubkey, f"--until={until}", "--yes")

    assert [] == rows(clickhouse, "vanish_barriers")


def test_a_request_to_another_relay_erases_nothing(delivery):
    door = delivery.clickhouse
    before = held(door)

    delivery.deliver([raws(a_vanish(bob, "wss://elsewhere.example.com", at=50))])

    assert before | {"vanish_requests"} == held(door)


def test_a_request_from_the_future_waits_until_it_is_due(delivery):
    door = delivery.clickhouse
    request = a_vanish(bob, at=100_000 + 2_000)
    delivery.deliver([raws(request)])
    before = held(door)

    delivery.now = request.created_at - 900
    delivery.project()

    assert len(before) > 10
    assert held(door) == set()
    assert [] == [row for row in rows(door, "events_local") if row["id"] == AFTER.id]
