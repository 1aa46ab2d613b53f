"""clickhouse_rebuild: facts and read model from the raw events alone, with the same result."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import pytest
from django.core.management import call_command
from structlog.testing import capture_logs

from clickhouse_schema.dump import dump_schema
from clickhouse_schema.progress import ProgressReport
from clickhouse_schema.read_model import EVENT_TABLES
from clickhouse_schema.rebuild import FactView, Rebuild, in_order, slices
from funnel.clickhouse import Clickhouse
from tests.builders import a_reaction, a_video, address, alice, as_json, bob, carol, mallory
from tests.clickhouse_schema.lively_day import (
    ANSWERS,
    DELIVERED,
    EDITED,
    FACTS,
    NOW,
    answers,
    facts,
    rows,
)
from tests.delivery import Delivery

# Who vanished is forgotten in Django's database too.
pytestmark = pytest.mark.django_db

SLOW_INSERT = """
INSERT INTO events_local (id, kind, content)
SELECT
    concat('slow', toString(number + sleepEachRow(0.5))),
    1,
    ''
FROM numbers(4)
SETTINGS max_block_size = 1
"""


def silent(what: str, done: int, total: int) -> None:
    pass


def a_rebuild(delivery: Delivery, **kwargs: Any) -> Rebuild:
    """A rebuild that finds every event by itself: none is so new that it is written once more."""
    delivery.projector.settle_ms = 0
    return Rebuild(
        delivery.clickhouse,
        delivery.projector,
        **{"progress": silent, "clock": lambda: delivery.now, **kwargs},
    )


@pytest.fixture
def delivery(clickhouse: Clickhouse) -> Delivery:
    delivery = Delivery(clickhouse, now=NOW, trust_seeds=(bob.pubkey,))
    delivery.deliver(DELIVERED)
    return delivery


def corrupt(door: Clickhouse) -> None:
    for table in (*FACTS, "due", "projection_state", "first_seen", "trust_weights"):
        door.command(f"TRUNCATE TABLE {table}")
    door.command("INSERT INTO video_versions (video_key, id, title) VALUES ('34236:x:y', 'x', 'z')")
    door.command("INSERT INTO events_by_kind (kind, created_at, id) VALUES (34236, 1, 'x')")
    door.command(
        "INSERT INTO video_stats (video_key, live, version, title) VALUES"
        f" ('34236:x:y', true, 7, 'junk'), ('34236:{alice.pubkey}:v1', true, 1700000000000000, '')"
    )
    door.command("INSERT INTO list_entries (entry, list, kind) VALUES ('34236:x:y', 'x', 10003)")
    door.command(
        "INSERT INTO list_entries (entry, list, version, kind, pubkey)"
        f" SELECT '34236:{alice.pubkey}:v1', 'junk', 1, 10003, 'junk'"
    )
    door.command("ALTER TABLE current_lists DELETE WHERE kind = 3 SETTINGS mutations_sync = 2")
    door.command("ALTER TABLE list_entries DELETE WHERE kind = 3 SETTINGS mutations_sync = 2")
    door.command("INSERT INTO user_profiles (pubkey, live, name) VALUES ('x', true, 'junk')")


def test_facts_and_answers_that_were_spoilt_are_what_they_had_been(delivery):
    door = delivery.clickhouse
    facts_before, answers_before = facts(door), answers(door)
    due_before, schema_before = rows(door, "due"), dump_schema(door)
    assert all(facts_before.values())
    assert any(row["trusted_score"] for row in answers_before["video_stats"])
    assert all(answers_before.values())
    corrupt(door)

    a_rebuild(delivery).run()

    assert facts_before == facts(door)
    assert answers_before == answers(door)
    assert due_before == rows(door, "due")
    assert schema_before == dump_schema(door)


def test_slices_make_the_same_facts(delivery, monkeypatch):
    door = delivery.clickhouse
    before = facts(door)
    corrupt(door)
    rebuild = a_rebuild(delivery, slice_events=10)
    read_views = rebuild.read_views
    some = ("events_by_kind", "list_versions")
    monkeypatch.setattr(
        rebuild, "read_views", lambda: [view for view in read_views() if view.table in some]
    )

    rebuild.rebuild_facts()

    assert [before[table] for table in some] == [rows(door, table) for table in some]


def test_the_answers_are_computed_in_chunks(delivery, monkeypatch):
    door = delivery.clickhouse
    before = answers(door)
    corrupt(door)
    rebuild = a_rebuild(delivery)
    rebuild.rebuild_facts()
    monkeypatch.setattr("clickhouse_schema.projector.CHUNK_KEYS", 2)

    rebuild.rebuild_read_model()

    assert before == answers(door)


def test_the_restored_raw_events_alone_are_enough(delivery):
    door = delivery.clickhouse
    facts_before, answers_before = facts(door), answers(door)
    barriers_before = rows(door, "vanish_barriers")
    kept = ("arrivals", "vanish_barriers", "erasures", "due", "projection_state", "touched")
    for table in (*FACTS, *ANSWERS, *kept):
        door.command(f"TRUNCATE TABLE {table}")

    a_rebuild(delivery).run()

    assert facts_before == facts(door)
    assert answers_before == answers(door)
    assert barriers_before == rows(door, "vanish_barriers")


def test_what_is_behind_a_barrier_is_not_brought_back(delivery):
    door = delivery.clickhouse
    before = answers(door)
    behind = a_reaction(EDITED, mallory, at=20)
    write_behind_its_back(door, behind)

    a_rebuild(delivery).run()

    assert before == answers(door)
    assert not [row for row in rows(door, "events_local") if row["id"] == behind.id]
    assert not [row for row in rows(door, "engagement") if row["event_id"] == behind.id]


def test_what_is_erased_while_a_table_is_filled_does_not_come_back(delivery, monkeypatch):
    door = delivery.clickhouse
    rebuild = a_rebuild(delivery)
    fill = rebuild.fill

    def fill_and_erase(table: str, view: FactView, **kwargs: Any) -> None:
        fill(table, view, **kwargs)
        if view.view == "engagement_mv" and "_rebuild_" in table:
            door.insert("vanish_barriers", ("pubkey", "until"), [(carol.pubkey, NOW + 10_000)])
            Delivery(door, now=NOW).projector.carry_out_erasures(now=NOW)

    monkeypatch.setattr(rebuild, "fill", fill_and_erase)

    rebuild.run()

    held = {table for table in FACTS for row in rows(door, table) if carol.pubkey in row.values()}
    assert held == set()


@pytest.mark.parametrize("last_view", ["engagement_mv", "engagement_targets_mv"])
def test_what_arrives_meanwhile_is_in_every_table_afterwards(last_view, delivery, monkeypatch):
    door = delivery.clickhouse
    late = a_reaction(EDITED, carol, "❤", at=30)
    rebuild = a_rebuild(delivery)
    fill = rebuild.fill

    def fill_and_write(table: str, view: FactView, **kwargs: Any) -> None:
        fill(table, view, **kwargs)
        if view.view == last_view and "_rebuild_" in table:
            delivery.write([as_json(late)])

    monkeypatch.setattr(rebuild, "fill", fill_and_write)

    rebuild.rebuild_facts()

    for table in ("engagement", "engagement_targets"):
        assert late.id in {row["event_id"] for row in rows(door, table)}


def test_an_insert_that_is_under_way_loses_nothing(delivery, monkeypatch):
    door = delivery.clickhouse
    inserting = Clickhouse(door.settings)
    rebuild = a_rebuild(delivery)
    delivery.projector.settle_ms = 10_000
    read_views, command = rebuild.read_views, door.command
    threads: list[threading.Thread] = []
    monkeypatch.setattr(
        rebuild,
        "read_views",
        lambda: [view for view in read_views() if view.table == "events_by_kind"],
    )

    def command_during_an_insert(sql: str) -> None:
        if sql.startswith("EXCHANGE TABLES events_by_kind_rebuild"):
            # It has opened the table that is to go, and writes its rows in two seconds.
            threads.append(threading.Thread(target=inserting.command, args=(SLOW_INSERT,)))
            threads[0].start()
            time.sleep(0.5)
        command(sql)

    monkeypatch.setattr(door, "command", command_during_an_insert)

    rebuild.rebuild_facts()

    threads[0].join()
    inserting.close()
    assert "slow0" in {row["id"] for row in rows(door, "events_by_kind")}


def test_inserts_and_passes_go_on_meanwhile(delivery):
    door = delivery.clickhouse
    other = Delivery(Clickhouse(door.settings), now=NOW)
    likes = [a_reaction(EDITED, by, "+", at=40 + i) for i, by in enumerate([alice, carol])]
    videos = [a_video(carol, f"w{i}", at=60 + i) for i in range(4)]

    def service() -> None:
        other.deliver([[as_json(event) for event in events] for events in (likes, videos)])

    thread = threading.Thread(target=service)
    thread.start()
    a_rebuild(delivery).run()
    thread.join()
    other.project()
    other.clickhouse.close()

    stats = {row["video_key"]: row for row in rows(door, "video_stats")}
    assert 3 == stats[address(EDITED)]["likes"]
    assert {f"34236:{carol.pubkey}:w{i}" for i in range(4)} <= stats.keys()


def test_one_that_was_interrupted_is_run_again(delivery, monkeypatch):
    door = delivery.clickhouse
    facts_before, answers_before = facts(door), answers(door)
    rebuild = a_rebuild(delivery)

    def stop(table: str, view: FactView, **_: Any) -> None:
        # Everything up to there has been put in place empty.
        if view.view == "video_versions_mv":
            raise KeyboardInterrupt

    monkeypatch.setattr(rebuild, "fill", stop)
    with pytest.raises(KeyboardInterrupt):
        rebuild.run()
    assert "_rebuild_" in dump_schema(door)

    a_rebuild(delivery).run()

    assert facts_before == facts(door)
    assert answers_before == answers(door)
    assert "_rebuild_" not in dump_schema(door)


def test_every_table_of_facts_is_one_that_is_erased(delivery):
    filled = set(in_order(a_rebuild(delivery).read_views()))

    assert set(FACTS) == filled
    # A request to vanish is kept as the proof.
    assert {"vanish_requests"} == filled - {table for table, _ in EVENT_TABLES}


def test_tables_come_after_those_that_they_are_read_from():
    views = [
        FactView("c_mv", "b", "c", ("id",), ""),
        FactView("b_mv", "a", "b", ("id",), ""),
        FactView("b2_mv", "a", "b", ("id",), ""),
    ]

    assert ["b", "c"] == in_order(views)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match="is no name"):
        FactView("a_mv", "events_local", "a; DROP TABLE b", ("id",), "")


def test_slices_are_as_many_as_the_events_need():
    assert [""] == slices(10, 10)
    assert list("0123456789abcdef") == slices(160, 10)
    assert 256 == len(set(slices(10**9, 10)))


def test_the_command_rebuilds_and_tells_how_far_it_is(delivery, monkeypatch, settings):
    settings.TRUST_SEEDS = [bob.pubkey]
    monkeypatch.setattr("funnel.clock.now", lambda: NOW)
    before = answers(delivery.clickhouse)

    with capture_logs() as logs:
        call_command("clickhouse_rebuild")

    assert before == answers(delivery.clickhouse)
    progress = {line["what"]: line for line in logs if line["event"] == "rebuild_progressed"}
    assert ["facts", "lists", "persons", "profiles", "videos"] == [*progress]
    assert all(line["done"] == line["total"] > 0 for line in progress.values())
    assert "rebuild_completed" == logs[-1]["event"]


def test_progress_says_the_rate_and_what_remains():
    seconds = iter([0.0, 4.0, 12.0, 20.0])
    report = ProgressReport(io.StringIO(), clock=lambda: next(seconds))

    with capture_logs() as logs:
        for done in (0, 100, 300, 500):
            report("facts", done, 500)

    assert [(300, 25, 8), (500, 25, 0)] == [
        (line["done"], line["per_second"], line["remaining_seconds"]) for line in logs
    ]


def test_a_terminal_has_one_line_that_changes():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    seconds = iter([0.0, 4.0, 8.0])
    terminal = Terminal()
    report = ProgressReport(terminal, clock=lambda: next(seconds))

    for done in (0, 1_000, 2_000):
        report("videos", done, 2_000)

    assert terminal.getvalue().split("\r\x1b[K")[1:] == [
        "videos: 0 of 2,000, 0/s",
        "videos: 1,000 of 2,000, 250/s, 4 s left",
        "videos: 2,000 of 2,000, 250/s, 0 s left\n",
    ]


def write_behind_its_back(door: Clickhouse, *events: Any) -> None:
    columns = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig", "embedded")
    door.insert(
        "events_local",
        columns,
        [(e.id, e.pubkey, e.created_at, e.kind, e.tags, e.content, e.sig, 0) for e in events],
    )
