"""The one door, against a real server: values, limits, errors, threads, forks, cuts."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from django.urls import get_resolver
from prometheus_client import REGISTRY

from funnel.clickhouse import (
    DEFAULT_MEMORY_MB,
    MAX_RESULT_ROWS,
    Clickhouse,
    ClickhouseError,
    ClickhouseOverloaded,
    ClickhouseReadonly,
    ClickhouseRefused,
    ClickhouseTimeout,
    ClickhouseUnavailable,
    connections,
)
from funnel.query_limits import BY_ENDPOINT
from funnel.sql import parse_query
from tests.clickhouse_server import LocalServer

HOSTILE = [
    "it's",
    '"quoted"',
    "back\\slash",
    "\\n is no line break",
    "\\N",
    "NULL",
    "line\nbreak",
    "\ttab",
    "\r\n",
    "NUL \0 inside",
    "\0",
    "\b\f\a\v\x1b",
    "100%",
    "%s %(name)s",
    "{value:String}",
    "{}",
    "-- no comment",
    "/* nor this */",
    "a;b",
    "`tick`",
    "' OR 1=1 --",
    "\\' OR 1=1 --",
    "🐈 é 猫",
    "\u2028\ufeff",
    "['array']",
    " ",
    "",
]


def a_query(sql):
    return parse_query("tests.query", f"-- Of the tests.\n{sql}")


def value_of(door, declared, value):
    query = a_query(f"SELECT {{value:{declared}}} AS value")
    return door.select(query, {"value": value})[0]["value"]


def socket_of(door):
    return door._client.connection.socket


def setting(door, name):
    # The name is one of this file's own; getSetting takes a constant only.
    return door.select(a_query(f"SELECT getSetting('{name}') AS value"), {})[0]["value"]


@pytest.fixture
def notes(clickhouse):
    """A table of (number, text, words), dropped when the test is over."""
    clickhouse.command(
        """
        CREATE TABLE notes (number UInt32, text String, words Array(Array(String)))
        ENGINE = MergeTree ORDER BY number SETTINGS non_replicated_deduplication_window = 100
        """
    )
    yield clickhouse
    clickhouse.command("DROP TABLE notes SYNC")


@pytest.fixture
def new_door(clickhouse):
    """Makes doors with the writer's settings and those that are given."""
    doors = []

    def make(**changes):
        doors.append(Clickhouse(clickhouse.settings | changes))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


# --- Values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_string_comes_back_as_it_was(clickhouse, text):
    assert text == value_of(clickhouse, "String", text)


def test_arrays_of_hostile_strings_come_back_as_they_were(clickhouse):
    assert HOSTILE == value_of(clickhouse, "Array(String)", HOSTILE)
    assert [HOSTILE, []] == value_of(clickhouse, "Array(Array(String))", [HOSTILE, []])
    assert [] == value_of(clickhouse, "Array(String)", ())


def test_hostile_strings_are_stored_as_they_are(notes):
    rows = [(number, text, [[text, ""], []]) for number, text in enumerate(HOSTILE)]

    notes.insert("notes", ("number", "text", "words"), rows)

    stored = notes.select(a_query("SELECT number, text, words FROM notes ORDER BY number"), {})
    assert rows == [(row["number"], row["text"], row["words"]) for row in stored]


def test_a_hostile_string_finds_its_row(notes):
    notes.insert("notes", ("number", "text"), list(enumerate(HOSTILE)))
    query = a_query("SELECT number FROM notes WHERE text = {text:String}")

    found = [notes.select(query, {"text": text}) for text in HOSTILE]

    assert [[{"number": number}] for number in range(len(HOSTILE))] == found


def test_a_time_keeps_its_fraction_and_its_moment(clickhouse):
    east = dt.timezone(dt.timedelta(hours=9))
    moment = dt.datetime(2024, 3, 1, 8, 59, 59, 123_456, tzinfo=east)

    assert moment == value_of(clickhouse, "DateTime64(6, 'UTC')", moment)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("UInt64", 2**64 - 1),
        ("Int64", -(2**63)),
        ("Float64", 1e300),
        ("Float64", float("inf")),
        ("Bool", True),
        ("Array(UInt16)", [0, 65_535]),
        ("Array(Tuple(String, UInt8))", [("it's", 1)]),
        ("Date", dt.date(2024, 2, 29)),
    ],
)
def test_other_values_come_back_as_they_were(clickhouse, declared, value):
    assert value == value_of(clickhouse, declared, value)


def test_a_name_can_be_a_parameter(notes):
    notes.insert("notes", ("number",), [(1,), (2,)])
    query = a_query("SELECT count() AS notes FROM {table:Identifier}")

    assert [{"notes": 2}] == notes.select(query, {"table": "notes"})


def test_no_rows_are_an_empty_list(clickhouse):
    assert [] == clickhouse.select(a_query("SELECT 1 AS one WHERE 0"), {})


def test_a_statement_that_changes_something_takes_parameters(notes):
    copy = a_query("INSERT INTO notes (number, text) SELECT 7 AS number, {text:String} AS text")

    notes.execute(copy, {"text": "it's"})

    stored = notes.select(a_query("SELECT number, text FROM notes"), {})
    assert [{"number": 7, "text": "it's"}] == stored


# --- Inserts --------------------------------------------------------------------------------------


def count_of_notes(door):
    return door.select(a_query("SELECT count() AS notes FROM notes"), {})[0]["notes"]


def test_an_insert_says_how_many_rows_it_wrote(notes):
    assert 2 == notes.insert("notes", ("number",), [(1,), (2,)])
    assert 0 == notes.insert("notes", ("number",), [])
    assert 2 == count_of_notes(notes)


def test_an_insert_with_the_token_of_an_earlier_one_changes_nothing(notes):
    for _ in range(2):
        notes.insert("notes", ("number",), [(1,)], deduplication_token="batch 1")
    notes.insert("notes", ("number",), [(1,)], deduplication_token="batch 2")

    assert 2 == count_of_notes(notes)


@pytest.mark.parametrize(
    "row",
    [("1", ""), (-1, ""), (2**32, ""), (1.5, ""), (1, "\ud800"), (1, None), (1, 5), (1,)],
    ids=repr,
)
def test_a_row_that_a_column_cannot_hold_is_refused_and_nothing_is_written(notes, row):
    with pytest.raises(ClickhouseRefused):
        notes.insert("notes", ("number", "text"), [(1, "good"), row])

    assert 0 == count_of_notes(notes)


@pytest.mark.parametrize(("table", "column"), [("notes; SELECT 1", "number"), ("notes", "a b")])
def test_only_names_are_put_into_an_insert(clickhouse, table, column):
    with pytest.raises(ValueError, match="is no name"):
        clickhouse.insert(table, (column,), [(1,)])


# --- Tags, limits, metrics ------------------------------------------------------------------------


def test_a_statement_is_tagged_with_its_query_and_its_request(clickhouse):
    with structlog.contextvars.bound_contextvars(request_id="trace-1"):
        tagged = setting(clickhouse, "log_comment")

    assert '{"query":"tests.query","request_id":"trace-1"}' == tagged


def test_outside_of_a_request_there_is_no_request_in_the_tag(clickhouse):
    assert '{"query":"tests.query"}' == setting(clickhouse, "log_comment")


def test_both_doors_limit_the_time_and_only_the_reader_is_limited_in_rows(clickhouse):
    reader = connections["reader"]

    assert clickhouse.settings["query_seconds"] == setting(clickhouse, "max_execution_time")
    assert reader.settings["query_seconds"] == setting(reader, "max_execution_time")
    assert 0 == setting(clickhouse, "max_result_rows")
    assert MAX_RESULT_ROWS == setting(reader, "max_result_rows")


def test_a_question_of_this_second_is_not_compiled(clickhouse):
    """What the engine compiles after the third use is over with the next second."""
    compiled = parse_query(
        "tests.compiled",
        "-- So far.\nSELECT sum(value) AS n FROM system.events WHERE event = 'CompileFunction'",
    )
    fading = parse_query(
        "tests.fading",
        "-- Scores.\nSELECT number * exp(-greatest(0, {now:UInt32} - number) / 3600 / 168) AS score"
        " FROM numbers(1000)",
    )
    before = clickhouse.select(compiled, {})

    for _ in range(6):
        clickhouse.select(fading, {"now": 1_790_000_000})

    assert before == clickhouse.select(compiled, {})


def test_the_steps_of_a_plan_are_not_put_together(clickhouse):
    """That takes longer than a few rows do in each of them."""
    nested = a_query(
        "EXPLAIN PIPELINE SELECT later * 2 AS twice FROM"
        " (SELECT number + 1 AS later FROM numbers(3))"
    )

    steps = [line for row in clickhouse.select(nested, {}) for line in row.values()]

    assert 1 < sum("ExpressionTransform" in step for step in steps)


@pytest.mark.parametrize(
    ("endpoint", "seconds", "memory"), [("videos", 1, 1), ("video-stats", 2, 4), ("", 1, 1)]
)
def test_a_question_has_the_time_and_memory_of_its_endpoint(clickhouse, endpoint, seconds, memory):
    reader = connections["reader"]
    with structlog.contextvars.bound_contextvars(endpoint=endpoint):
        actual = setting(reader, "max_execution_time"), setting(reader, "max_memory_usage")

    whole = reader.settings["query_seconds"], DEFAULT_MEMORY_MB * 2**20
    assert (whole[0] // seconds, whole[1] // memory) == actual
    assert 0 == setting(clickhouse, "max_memory_usage")


def test_limits_are_of_endpoints_that_exist():
    resolver = get_resolver()

    assert [] == [name for name in BY_ENDPOINT if name not in resolver.reverse_dict]


def test_a_question_that_takes_more_memory_is_an_overload(clickhouse):
    hungry = a_query("SELECT length(groupArray(toString(number))) AS n FROM numbers(100000000)")
    door = Clickhouse({**connections["reader"].settings, "memory_mb": 64})

    with pytest.raises(ClickhouseOverloaded):
        door.select(hungry, {})
    assert 1 == value_of(door, "UInt8", 1)


def test_the_reader_cannot_write(notes):
    reader = connections["reader"]

    with pytest.raises(ClickhouseReadonly):
        reader.insert("notes", ("number",), [(1,)])
    with pytest.raises(ClickhouseReadonly):
        reader.command("TRUNCATE TABLE notes")
    with pytest.raises(ClickhouseReadonly):
        reader.execute(a_query("INSERT INTO notes (number) SELECT 1 AS number"), {})

    assert 0 == count_of_notes(notes)


def test_the_reader_refuses_to_fetch_without_end(clickhouse):
    endless = a_query(f"SELECT number FROM numbers({MAX_RESULT_ROWS} + 1)")

    with pytest.raises(ClickhouseError) as failure:
        connections["reader"].select(endless, {})

    assert 396 == failure.value.code


def test_every_statement_is_timed_and_every_failure_counted(clickhouse):
    name = "tests.timed"
    good = parse_query(name, "-- Of the tests.\nSELECT 1 AS one")
    bad = parse_query(name, "-- Of the tests.\nSELECT throwIf(1) AS one")

    clickhouse.select(good, {})
    connections["reader"].select(good, {})
    with pytest.raises(ClickhouseRefused):
        connections["reader"].select(bad, {})

    def sample(metric, **labels):
        return REGISTRY.get_sample_value(metric, labels)

    assert 1 == sample("clickhouse_query_duration_seconds_count", query=name)
    assert 2 == sample("api_clickhouse_query_duration_seconds_count", endpoint="", query=name)
    assert 1 == sample("clickhouse_failures_total", query=name, error="ClickhouseRefused")


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (159, ClickhouseTimeout),
        (241, ClickhouseOverloaded),
        (252, ClickhouseOverloaded),
        (202, ClickhouseOverloaded),
        (164, ClickhouseReadonly),
        (242, ClickhouseReadonly),
        (469, ClickhouseRefused),
        (210, ClickhouseUnavailable),
        (60, ClickhouseError),
    ],
)
def test_a_servers_error_becomes_the_exception_of_its_code(clickhouse, code, expected):
    fail = a_query(
        "SELECT throwIf(1, 'private words', {code:Int16}) AS failed"
        " SETTINGS allow_custom_error_code_in_throwif = 1"
    )

    with pytest.raises(ClickhouseError) as failure:
        clickhouse.select(fail, {"code": code})

    assert expected is type(failure.value)
    assert code == failure.value.code


def test_an_error_keeps_the_servers_words_for_the_log_alone(clickhouse):
    with pytest.raises(ClickhouseRefused) as failure:
        clickhouse.select(a_query("SELECT throwIf(1, 'private words') AS failed"), {})

    assert "ClickHouse refused the data (code 395)." == str(failure.value)
    assert "private words" in str(failure.value.__cause__)


def test_the_door_works_again_after_an_error(clickhouse):
    with pytest.raises(ClickhouseError):
        clickhouse.select(a_query("SELECT nothing AS like_this"), {})

    assert 1 == value_of(clickhouse, "UInt8", 1)


def test_a_query_that_takes_too_long_is_ended_by_the_server(new_door):
    door = new_door(query_seconds=1)
    slow = a_query(
        "SELECT sum(sleepEachRow(0.1)) AS slept FROM numbers(100) SETTINGS max_block_size=1"
    )

    with pytest.raises(ClickhouseTimeout):
        door.select(slow, {})


def test_a_wrong_password_is_an_error_of_its_own_code(new_door):
    with pytest.raises(ClickhouseError) as failure:
        value_of(new_door(password="wrong"), "UInt8", 1)

    assert failure.value.code in {193, 516}
    assert "wrong" not in str(failure.value)


def test_a_missing_database_is_an_error_of_its_own_code(new_door):
    with pytest.raises(ClickhouseError) as failure:
        value_of(new_door(database="nowhere"), "UInt8", 1)

    assert 81 == failure.value.code


def test_a_refused_connection_is_unavailable(new_door):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        door = new_door(port=reserved.getsockname()[1])

        with pytest.raises(ClickhouseUnavailable):
            value_of(door, "UInt8", 1)


def test_a_host_that_accepts_and_says_nothing_is_unavailable_within_the_connect_timeout(new_door):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        door = new_door(port=silent.getsockname()[1], connect_seconds=0.3)
        started = time.monotonic()

        with pytest.raises(ClickhouseUnavailable):
            value_of(door, "UInt8", 1)

    assert time.monotonic() - started < 2


def test_a_name_that_does_not_resolve_is_unavailable(new_door):
    with pytest.raises(ClickhouseUnavailable):
        value_of(new_door(host="nowhere.invalid"), "UInt8", 1)


# --- Threads and forks ----------------------------------------------------------------------------


def test_each_thread_has_its_own_connection(clickhouse):
    barrier = threading.Barrier(4)

    def ask(number):
        door = connections["reader"]
        barrier.wait()
        answers = [value_of(door, "UInt32", number * 100 + turn) for turn in range(20)]
        door.close()
        return id(door), answers

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(ask, range(4)))

    assert 4 == len({door for door, _ in results})
    assert [[n * 100 + turn for turn in range(20)] for n in range(4)] == [a for _, a in results]


def test_a_thread_that_ends_gives_its_connection_back(clickhouse):
    sockets = []

    def ask():
        value_of(connections["reader"], "UInt8", 1)
        sockets.append(socket_of(connections["reader"]))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert [-1] == [ended.fileno() for ended in sockets]


def test_a_forked_child_asks_on_its_own_connection_and_the_parents_stays_open(clickhouse):
    value_of(clickhouse, "UInt8", 1)
    parents = socket_of(clickhouse)
    address = parents.getsockname()
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        answer = b"failed"
        with contextlib.suppress(BaseException):
            value_of(clickhouse, "UInt8", 2)
            if socket_of(clickhouse).getsockname() != address:
                answer = b"answered elsewhere"
        os.write(writing, answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)

    assert b"answered elsewhere" == answer
    assert 3 == value_of(clickhouse, "UInt8", 3)
    assert parents is socket_of(clickhouse)


AT_ITS_END = """
import json, sys
import django
django.setup()
from django.conf import settings
from funnel.clickhouse import connections
settings.CLICKHOUSE["default"].update(json.loads(sys.argv[1]))
connections["default"].command("SELECT 1")
"""


def test_a_process_that_ends_with_its_connection_open_says_nothing(clickhouse):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

    ended = subprocess.run(
        [sys.executable, "-c", AT_ITS_END, json.dumps(clickhouse.settings)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "") == (ended.returncode, ended.stderr)


# --- Cut connections ------------------------------------------------------------------------------


class Middleman:
    """Listens for the server and passes bytes on, until it is told to cut at a marker."""

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.cut_at = b""
        self.cuts = 0
        self.connections = 0
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.server_port))
                self.connections += 1
                self.open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while received := source.recv(65_536):
                if self.cut_at and self.cut_at in received:
                    self.cuts += 1
                    break
                sink.sendall(received)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut_all(self):
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.cut_all()
        for end in self.open:
            end.close()


@pytest.fixture
def middleman(clickhouse):
    middleman = Middleman(clickhouse.settings["port"])
    yield middleman
    middleman.close()


def test_a_question_on_a_stale_connection_is_asked_once_more(new_door, middleman):
    door = new_door(port=middleman.port)
    value_of(door, "UInt8", 1)

    middleman.cut_all()

    assert 2 == value_of(door, "UInt8", 2)
    assert 2 == middleman.connections


def test_a_question_that_is_cut_every_time_is_asked_twice_in_all(new_door, middleman):
    door = new_door(port=middleman.port)
    value_of(door, "UInt8", 1)
    middleman.cut_at = b"marker"

    with pytest.raises(ClickhouseUnavailable):
        value_of(door, "String", "marker")

    assert 2 == middleman.cuts


def test_a_question_that_is_cut_on_a_fresh_connection_is_not_repeated(new_door, middleman):
    middleman.cut_at = b"marker"

    with pytest.raises(ClickhouseUnavailable):
        value_of(new_door(port=middleman.port), "String", "marker")

    assert 1 == middleman.cuts


def test_an_insert_that_is_cut_is_never_repeated(notes, new_door, middleman):
    door = new_door(port=middleman.port)
    door.insert("notes", ("number", "text"), [(1, "arrives")])
    middleman.cut_at = b"marker"

    with pytest.raises(ClickhouseUnavailable):
        door.insert("notes", ("number", "text"), [(2, "marker")])

    assert 1 == middleman.cuts
    assert 1 == count_of_notes(notes)


def test_a_statement_that_changes_something_and_is_cut_is_never_repeated(
    notes, new_door, middleman
):
    door = new_door(port=middleman.port)
    value_of(door, "UInt8", 1)
    middleman.cut_at = b"marker"

    with pytest.raises(ClickhouseUnavailable):
        door.command("INSERT INTO notes (number, text) SELECT 1, 'marker'")

    assert 1 == middleman.cuts


def test_an_insert_after_the_connection_went_stale_is_sent_on_a_new_one(notes, new_door, middleman):
    door = new_door(port=middleman.port)
    value_of(door, "UInt8", 1)

    middleman.cut_all()
    door.insert("notes", ("number",), [(1,)])

    assert 1 == count_of_notes(notes)


@pytest.mark.skipif("TEST_CLICKHOUSE_URL" in os.environ, reason="that server is not ours to stop")
def test_a_server_that_was_restarted_is_asked_again(tmp_path):
    server = LocalServer(tmp_path)
    server.start()
    door = Clickhouse({**server.settings(), "connect_seconds": 2})
    try:
        value_of(door, "UInt8", 1)
        server.stop()
        with pytest.raises(ClickhouseUnavailable):
            value_of(door, "UInt8", 2)
        server.start()

        assert 3 == value_of(door, "UInt8", 3)
    finally:
        door.close()
        server.stop()
