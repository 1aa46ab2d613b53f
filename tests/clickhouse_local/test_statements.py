"""What is known of a statement's text agrees with what the driver sends."""

from __future__ import annotations

import pytest
from clickhouse_driver.util.escape import escape_param
from hypothesis import given
from hypothesis import strategies as st

from funnel.clickhouse_local.statements import (
    Insert,
    changes_definitions,
    literal,
    parameter_text,
    parse_insert,
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO t VALUES", Insert("t", "", (), "")),
        ("insert into d.t (a, b) values ;", Insert("d.t", "(a, b)", ("a", "b"), "")),
        ("INSERT INTO t FORMAT Native", Insert("t", "", (), "")),
        ("INSERT INTO t", Insert("t", "", (), "")),
        (
            "INSERT INTO `a``b`.`c\\`d` (`e f`, n.g) VALUES",
            Insert("`a``b`.`c\\`d`", "(`e f`, n.g)", ("e f", "n.g"), ""),
        ),
        (
            "INSERT INTO {t:Identifier} SETTINGS async_insert = 0, x = 'FORMAT' VALUES",
            Insert("{t:Identifier}", "", (), "SETTINGS async_insert = 0, x = 'FORMAT'"),
        ),
        (
            "-- first\nINSERT /* second */ INTO t (a /* third */) VALUES -- last",
            Insert("t", "(a /* third */)", ("a",), ""),
        ),
    ],
)
def test_an_insert_that_waits_for_rows_is_recognised(sql: str, expected: Insert) -> None:
    assert expected == parse_insert(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t (a) VALUES ('x'), ('y')",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (SELECT 1)",
        "INSERT INTO t (a) SELECT 1 SETTINGS max_threads = 1",
        "INSERT INTO t SETTINGS max_threads = 1 SELECT 1",
        "INSERT INTO t FORMAT CSV 1,2",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO FUNCTION file('x') VALUES",
        "/* INSERT INTO t VALUES */ SELECT 1",
        "'unfinished",
    ],
)
def test_other_statements_go_to_the_engine_as_they_are(sql: str) -> None:
    assert parse_insert(sql) is None


@given(text=st.text())
def test_a_parameter_loses_exactly_one_level_of_quoting(text: str) -> None:
    sent = escape_param(text, None, for_server=True)
    escaped_once = escape_param(text, None)[1:-1]

    assert escaped_once == parameter_text(sent)


@pytest.mark.parametrize(
    ("sent", "expected"), [("5", "5"), ("'5'", "5"), ("''", ""), ("'", "'"), ("'\\N'", "\\N")]
)
def test_parameters_need_not_be_quoted(sent: str, expected: str) -> None:
    assert expected == parameter_text(sent)


def test_a_literal_keeps_its_quotes_inside() -> None:
    assert r"'it\'s \\ here'" == literal("it's \\ here")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("-- Rows.\nINSERT INTO t SELECT 1", False),
        ("truncate table t", False),
        ("ALTER TABLE t DROP PARTITION {pass:UInt64}", False),
        ("alter table `d`.`t` drop partition 1", False),
        ("ALTER TABLE t DROP PARTITION 1, ADD COLUMN b String", True),
        ("ALTER TABLE t DROP COLUMN partition", True),
        ("ALTER TABLE t ADD COLUMN b String", True),
        ("ALTER USER u DROP PARTITION 1", True),
        ("CREATE TABLE t (a UInt8) ENGINE = Memory", True),
        ("SET join_use_nulls = 1", True),
    ],
)
def test_what_may_change_a_column_or_a_setting_is_recognised(sql: str, expected: bool) -> None:
    assert expected == changes_definitions(sql)
