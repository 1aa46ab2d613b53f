"""An INSERT is stored whole or refused aloud."""

from __future__ import annotations

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

# Not in the driver's list.
VIOLATED_CONSTRAINT = 469


@pytest.fixture
def table(client: Client) -> str:
    client.execute(
        "CREATE TABLE t (id UInt32, text String DEFAULT 'none', twice UInt64 MATERIALIZED id * 2,"
        " CONSTRAINT small CHECK id < 1000) ENGINE = MergeTree ORDER BY id"
    )
    return "t"


def test_columns_left_out_get_their_defaults(client: Client, table: str) -> None:
    inserted = client.execute("INSERT INTO t (id) VALUES", [(1,), (2,)])

    assert 2 == inserted
    assert [(1, "none", 2), (2, "none", 4)] == client.execute("SELECT id, text, twice FROM t")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES",
        "insert into t (id, text) values",
        'INSERT INTO test.t (`id`, "text") FORMAT Native',
        "/* from: a test */ INSERT INTO TABLE t(id,text) -- note\n VALUES;",
        "INSERT INTO t (id, text) SETTINGS async_insert = 0, max_threads = 1 VALUES",
    ],
)
def test_an_insert_may_be_written_in_several_ways(
    client: Client, table: str, statement: str
) -> None:
    client.execute(statement, [(1, "a")])

    assert [(1, "a")] == client.execute("SELECT id, text FROM t")


def test_columns_keep_the_order_of_the_statement(client: Client, table: str) -> None:
    client.execute("INSERT INTO t (text, id) VALUES", [("a", 1)])

    assert [(1, "a")] == client.execute("SELECT id, text FROM t")


def test_an_insert_of_no_rows_is_no_error(client: Client, table: str) -> None:
    client.execute("INSERT INTO t VALUES", [])

    assert [(0,)] == client.execute("SELECT count() FROM t")


def test_several_blocks_are_one_insert(client: Client, table: str) -> None:
    rows = [(number, "x") for number in range(900)]

    client.execute("INSERT INTO t VALUES", rows, settings={"insert_block_size": 100})

    assert rows == client.execute("SELECT id, text FROM t ORDER BY id")
    assert [(1,)] == client.execute(
        "SELECT count() FROM system.parts WHERE database = currentDatabase() AND active"
    )


def test_a_retry_with_the_same_token_stores_nothing_twice(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    token = {"insert_deduplication_token": "batch-1", "async_insert": 0}

    for _ in range(2):
        client.execute("INSERT INTO t VALUES", [(1,), (2,)], settings=token)

    assert [(2,)] == client.execute("SELECT count() FROM t")


def test_a_row_that_breaks_a_constraint_is_refused_aloud(client: Client, table: str) -> None:
    with pytest.raises(ServerException, match="small") as refused:
        client.execute("INSERT INTO t (id) VALUES", [(1,), (5000,)])

    assert VIOLATED_CONSTRAINT == refused.value.code
    assert [(0,)] == client.execute("SELECT count() FROM t")


def test_an_error_in_a_materialized_view_is_not_swallowed(client: Client, table: str) -> None:
    client.execute("CREATE TABLE copy (id UInt32) ENGINE = MergeTree ORDER BY id")
    client.execute(
        "CREATE MATERIALIZED VIEW copy_mv TO copy AS SELECT throwIf(id = 7) + id AS id FROM t"
    )

    client.execute("INSERT INTO t (id) VALUES", [(6,)])
    with pytest.raises(ServerException) as refused:
        client.execute("INSERT INTO t (id) VALUES", [(7,)])

    assert ErrorCodes.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO == refused.value.code
    assert [(6,)] == client.execute("SELECT id FROM copy")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("INSERT INTO nowhere VALUES", ErrorCodes.UNKNOWN_TABLE),
        ("INSERT INTO nowhere.t VALUES", ErrorCodes.UNKNOWN_DATABASE),
        ("INSERT INTO t (nothing) VALUES", ErrorCodes.NO_SUCH_COLUMN_IN_TABLE),
    ],
)
def test_an_insert_into_nothing_is_refused_before_the_rows(
    client: Client, table: str, statement: str, code: int
) -> None:
    with pytest.raises(ServerException) as refused:
        client.execute(statement, [(1,)])

    assert code == refused.value.code


def test_an_insert_with_too_many_partitions_is_refused(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a PARTITION BY a")

    with pytest.raises(ServerException) as refused:
        client.execute("INSERT INTO t VALUES", [(number,) for number in range(200)])

    assert ErrorCodes.TOO_MANY_PARTS == refused.value.code
    assert [(0,)] == client.execute("SELECT count() FROM t")


def test_the_connection_goes_on_after_a_refused_insert(client: Client, table: str) -> None:
    for _ in range(3):
        with pytest.raises(ServerException):
            client.execute("INSERT INTO t (id) VALUES", [(5000,)])
        client.execute("INSERT INTO t (id) VALUES", [(1,)])

    assert [(3,)] == client.execute("SELECT count() FROM t")
