"""Statements, errors and settings behave as a server's."""

from __future__ import annotations

import time
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException


def test_an_empty_result_still_names_its_columns(client: Client) -> None:
    found = client.execute(
        "SELECT {x:UInt16} AS n, 'a' AS s WHERE 0;", {"x": 1}, with_column_types=True
    )

    assert ([], [("n", "UInt16"), ("s", "String")]) == found


def test_the_columns_of_an_empty_result_are_those_of_the_moment(
    server, client: Client, database: str
) -> None:
    def columns(question: str, **more: Any) -> list[tuple[str, str]]:
        rows, columns = client.execute(question, with_column_types=True, **more)
        assert [] == rows
        return list(columns)

    client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY ()")
    client.execute("CREATE TABLE u (c String) ENGINE = Memory")
    joined = "SELECT u.c FROM t LEFT JOIN u ON toString(t.a) = u.c"
    named = "SELECT * FROM {table:Identifier}"

    for _ in range(2):
        assert [("a", "UInt8")] == columns("SELECT * FROM t")
        assert [("c", "String")] == columns(joined)
        assert [("c", "Nullable(String)")] == columns(joined, settings={"join_use_nulls": 1})
        assert [("a", "UInt8")] == columns(named, params={"table": "t"})
        assert [("c", "String")] == columns(named, params={"table": "u"})

    with server.client(database=database) as other:
        other.execute("ALTER TABLE t MODIFY COLUMN a UInt16")
    assert [("a", "UInt16")] == columns("SELECT * FROM t")
    client.execute("SET join_use_nulls = 1")
    assert [("c", "Nullable(String)")] == columns(joined)


def test_statements_of_every_kind_answer(client: Client) -> None:
    assert [] == client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    assert [] == client.execute("INSERT INTO t VALUES (1), (2)")
    assert [] == client.execute("INSERT INTO t SELECT number FROM numbers(3, 2)")
    assert [(1,), (2,), (3,), (4,)] == client.execute("SELECT a FROM t ORDER BY a")
    assert [(10,)] == client.execute("WITH 10 AS x SELECT x")
    assert [("t",)] == client.execute("SHOW TABLES")
    assert [(1,)] == client.execute("EXISTS TABLE t")
    assert [] == client.execute("SHOW TABLES LIKE 'nothing'")
    assert "a" == client.execute("DESCRIBE TABLE t")[0][0]
    assert client.execute("EXPLAIN indexes = 1 SELECT * FROM t WHERE a = 1")
    assert [] == client.execute("ALTER TABLE t ADD COLUMN b String")
    assert [] == client.execute("OPTIMIZE TABLE t FINAL")
    assert [] == client.execute("TRUNCATE TABLE t")
    assert [(0,)] == client.execute("SELECT count() FROM t")


def test_a_big_result_comes_whole_and_in_order(client: Client) -> None:
    rows = client.execute(
        "SELECT number, toString(number), [toString(number), 'x'] FROM numbers(100000)"
    )

    assert 100_000 == len(rows)
    assert (99_999, "99999", ["99999", "x"]) == rows[-1]
    assert list(range(100_000)) == [row[0] for row in rows]


def test_a_result_is_streamed_before_it_is_complete(client: Client) -> None:
    started = time.monotonic()
    rows = client.execute_iter(
        "SELECT sleepEachRow(0.2), number FROM numbers(20) SETTINGS max_block_size = 1"
    )

    first = next(rows)

    assert (0, 0) == first
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("compression", [False, "lz4", "lz4hc"])
def test_compression_changes_nothing(server, database: str, compression: bool | str) -> None:
    with server.client(database=database, compression=compression) as client:
        client.execute("CREATE TABLE t (a UInt64, s String) ENGINE = Memory")
        rows = [(number, f"text {number} " * 5) for number in range(50_000)]

        client.execute("INSERT INTO t VALUES", rows)

        assert rows == client.execute("SELECT a, s FROM t ORDER BY a")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM nowhere", ErrorCodes.UNKNOWN_TABLE),
        ("SELECT nothing", ErrorCodes.UNKNOWN_IDENTIFIER),
        ("SELECT noSuchFunction(1)", ErrorCodes.UNKNOWN_FUNCTION),
        ("SELEC 1", ErrorCodes.SYNTAX_ERROR),
        ("1", ErrorCodes.SYNTAX_ERROR),
        ("", ErrorCodes.SYNTAX_ERROR),
        ("USE nowhere", ErrorCodes.UNKNOWN_DATABASE),
        ("SELECT 1; SELECT 2", ErrorCodes.SYNTAX_ERROR),
        ("SELECT sleep(0.3) SETTINGS max_execution_time = 0.1", ErrorCodes.TIMEOUT_EXCEEDED),
        ("SELECT 1 SETTINGS nonsense = 1", ErrorCodes.UNKNOWN_SETTING),
        (
            "SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000",
            ErrorCodes.MEMORY_LIMIT_EXCEEDED,
        ),
        # After the first blocks have been sent.
        (
            "SELECT throwIf(number = 500000) FROM numbers(1000000)",
            ErrorCodes.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO,
        ),
    ],
)
def test_errors_carry_the_code_and_text_of_clickhouse(client: Client, sql: str, code: int) -> None:
    with pytest.raises(ServerException, match=r"DB::Exception: \w") as refused:
        client.execute(sql)

    assert code == refused.value.code
    assert [(1,)] == client.execute("SELECT 1")


def test_what_was_a_statement_by_other_settings_is_none_without_them(client: Client) -> None:
    assert [(2,)] == client.execute("1 + 1", settings={"implicit_select": 1})

    with pytest.raises(ServerException) as refused:
        client.execute("1 + 1")

    assert ErrorCodes.SYNTAX_ERROR == refused.value.code


def test_a_result_in_a_format_of_its_own_is_refused(client: Client) -> None:
    with pytest.raises(ServerException) as refused:
        client.execute("SELECT 1 FORMAT JSON")

    assert ErrorCodes.NOT_IMPLEMENTED == refused.value.code
    assert [(1,)] == client.execute("SELECT 1")


def test_no_statement_runs_when_one_of_several_is_malformed(client: Client) -> None:
    with pytest.raises(ServerException):
        client.execute("CREATE TABLE t (a UInt8) ENGINE = Memory; nonsense(")

    assert [(0,)] == client.execute("EXISTS TABLE t")


def test_settings_last_for_one_query(client: Client) -> None:
    question = "SELECT getSetting('max_threads'), getSetting('log_comment')"
    before = client.execute(question)

    during = client.execute(question, settings={"max_threads": 1, "log_comment": "it's \\ a\nfeed"})

    assert [(1, "it's \\ a\nfeed")] == during
    assert before == client.execute(question)
    assert [(3, "")] == client.execute(question, settings={"max_threads": 3})


def test_a_set_statement_lasts_for_the_connection(server, client: Client) -> None:
    client.execute("SET max_threads = 3")
    question = "SELECT getSetting('max_threads')"

    during = client.execute(question, settings={"max_threads": 1})

    assert [(1,)] == during
    assert [(3,)] == client.execute(question)
    with server.client() as other:
        assert [(3,)] != other.execute(question)


def test_unknown_settings_are_dropped_unless_important(server, client: Client) -> None:
    assert [(1,)] == client.execute("SELECT 1", settings={"no_such_setting": 1})
    strict = server.client(settings_is_important=True)
    with strict, pytest.raises(ServerException) as refused:
        strict.execute("SELECT 1", settings={"no_such_setting": 1})

    assert ErrorCodes.UNKNOWN_SETTING == refused.value.code


def test_a_malformed_setting_is_refused_and_forgotten(client: Client) -> None:
    with pytest.raises(ServerException):
        client.execute("SELECT 1", settings={"max_threads": "many"})

    assert [(1,)] == client.execute("SELECT 1")


@pytest.mark.parametrize("level", [1, 2])
def test_a_readonly_query_cannot_write_and_the_next_one_can(client: Client, level: int) -> None:
    client.execute("CREATE TABLE t (a UInt8) ENGINE = Memory")
    reading = {"readonly": level, "max_threads": 1}

    for statement in ("INSERT INTO t VALUES (1)", "DROP TABLE t", "SET readonly = 0"):
        assert [(0,)] == client.execute("SELECT count() FROM t", settings=reading)
        with pytest.raises(ServerException) as refused:
            client.execute(statement, settings=reading)
        assert ErrorCodes.READONLY == refused.value.code
    with pytest.raises(ServerException) as refused:
        client.execute("INSERT INTO t VALUES", [(1,)], settings=reading)
    assert ErrorCodes.READONLY == refused.value.code

    # On one connection, with other settings each time.
    assert [(0,)] == client.execute("SELECT count() FROM t", settings=reading)
    assert [(0,)] == client.execute(
        "SELECT count() FROM t", settings=reading | {"log_comment": "x", "max_threads": 2}
    )
    client.execute("INSERT INTO t VALUES (1)")
    assert [(1,)] == client.execute("SELECT a FROM t")


def test_a_refreshable_view_refreshes_itself(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = Memory")
    client.execute("INSERT INTO t VALUES (1), (2)")

    client.execute(
        "CREATE MATERIALIZED VIEW total REFRESH EVERY 1 SECOND"
        " (a UInt64) ENGINE = MergeTree ORDER BY a AS SELECT sum(a) AS a FROM t"
    )
    client.execute("SYSTEM WAIT VIEW total")

    assert [(3,)] == client.execute("SELECT a FROM total")


def test_the_database_of_the_hello_is_used_and_must_exist(server, database: str) -> None:
    with server.client(database=database) as client:
        assert [(database,)] == client.execute("SELECT currentDatabase()")
    with server.client(database="nowhere") as client, pytest.raises(ServerException) as refused:
        client.execute("SELECT 1")

    assert ErrorCodes.UNKNOWN_DATABASE == refused.value.code


def test_times_without_a_zone_are_utc(client: Client) -> None:
    assert [("UTC",)] == client.execute("SELECT timezone()")
