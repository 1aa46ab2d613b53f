"""Every type of the schema, and hostile text, pass through as rows and as parameters."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

# Not in the driver's list.
UNKNOWN_QUERY_PARAMETER = 456
BAD_QUERY_PARAMETER = 457

HOSTILE = [
    "",
    "'",
    '"',
    "\\",
    "\\'",
    "a\0b",
    "\n",
    "\n\n",
    "\r\n\t\b\f\v\a",
    "\\N",
    "NULL",
    "%s %(x)s %",
    "{x:String}",
    "'); DROP TABLE t; --",
    "/* */ -- #",
    "😀 é ‮ \u2028",
    "x" * 127,
    "y" * 128,
    "z" * 20_000,
]

ROUND_TRIPS: list[tuple[str, list[Any]]] = [
    ("UInt8", [0, 255]),
    ("UInt16", [0, 2**16 - 1]),
    ("UInt32", [0, 2**32 - 1]),
    # 0x0A0A are two newlines, at which a text interface would cut.
    ("UInt64", [0, 2570, 2**64 - 1]),
    ("UInt128", [2**128 - 1]),
    ("UInt256", [2**256 - 1]),
    ("Int8", [-128, 127]),
    ("Int16", [-(2**15)]),
    ("Int32", [-(2**31)]),
    ("Int64", [-(2**63), 2**63 - 1]),
    ("Int128", [-(2**127)]),
    ("Int256", [-(2**255)]),
    ("Float32", [0.5, -math.inf]),
    ("Float64", [math.pi, math.inf]),
    ("Bool", [True, False]),
    ("String", HOSTILE),
    ("FixedString(64)", ["f" * 64, "é" * 32]),
    ("Date", [date(1970, 1, 1), date(2149, 6, 6)]),
    ("Date32", [date(1900, 1, 1), date(2299, 12, 31)]),
    ("DateTime", [datetime.fromisoformat("2026-01-02 03:04:05")]),
    ("DateTime64(3, 'UTC')", [datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)]),
    ("UUID", [UUID("12345678-1234-5678-1234-567812345678")]),
    ("IPv4", [IPv4Address("127.0.0.1")]),
    ("IPv6", [IPv6Address("::1")]),
    ("Decimal(9, 2)", [Decimal("-1234567.89")]),
    ("Decimal(18, 4)", [Decimal("12345.6789")]),
    ("Decimal(38, 10)", [Decimal("1.0000000001")]),
    ("Decimal(76, 1)", [Decimal("1.5")]),
    ("Enum8('a(' = 1, '\\', b' = 2)", ["a(", "', b"]),
    ("Enum16('x' = -300)", ["x"]),
    ("Nullable(String)", [None, "", "x"]),
    ("Nullable(UInt64)", [None, 0, 7]),
    ("Array(String)", [[], [""], HOSTILE]),
    ("Array(Array(String))", [[], [[]], [["e", "f" * 64], [], ["p"]]]),
    ("Array(Nullable(UInt8))", [[None, 1], []]),
    ("Map(String, UInt64)", [{}, {"a": 1, "": 2}]),
    ("Map(String, Array(String))", [{"t": ["x", "y"]}]),
    ("Tuple(UInt8, String)", [(1, "x"), (2, "")]),
    ("Tuple(a UInt8, `b c` Array(String))", [(1, ["x"])]),
    ("LowCardinality(String)", ["a", "", "a"]),
    ("LowCardinality(String)", [f"key {number}" for number in range(300)]),
    ("LowCardinality(Nullable(String))", [None, "a", None]),
    ("Array(LowCardinality(String))", [[], ["a", "b"], ["a"]]),
    ("Map(LowCardinality(String), LowCardinality(Nullable(String)))", [{"a": None, "b": "c"}]),
    ("SimpleAggregateFunction(max, DateTime('UTC'))", [datetime(2026, 1, 1, tzinfo=UTC)]),
    ("Point", [(1.0, 2.0)]),
    ("Ring", [[(1.0, 2.0), (3.0, 4.0)]]),
]


@pytest.mark.parametrize(("type_name", "values"), ROUND_TRIPS)
def test_values_come_back_as_they_went_in(
    client: Client, type_name: str, values: list[Any]
) -> None:
    client.execute(f"CREATE TABLE t (n UInt32, v {type_name}, after String) ENGINE = Memory")
    rows = [(number, value, "after") for number, value in enumerate(values)]

    client.execute("INSERT INTO t (n, v, after) VALUES", rows)
    found, columns = client.execute("SELECT * FROM t ORDER BY n", with_column_types=True)

    assert rows == found
    assert ["n", "v", "after"] == [name for name, _ in columns]


def test_nested_columns_are_arrays_of_the_same_length(client: Client) -> None:
    client.execute("CREATE TABLE t (n Nested(a String, b UInt8)) ENGINE = Memory")

    client.execute("INSERT INTO t (n.a, n.b) VALUES", [(["x", "y"], [1, 2]), ([], [])])

    assert [(["x", "y"], [1, 2]), ([], [])] == client.execute("SELECT n.a, n.b FROM t")


def test_json_goes_in_as_text_and_comes_out_as_a_document(client: Client) -> None:
    client.execute("CREATE TABLE t (v JSON) ENGINE = Memory")

    client.execute("INSERT INTO t VALUES", [('{"a": {"b": [1, 2]}}',)])

    assert [({"a": {"b": [1, 2]}},)] == client.execute("SELECT v FROM t")


@pytest.mark.parametrize(
    "expression", ["uniqState(1)", "1::Variant(UInt8, String)", "1::Dynamic", "[sumState(1)]"]
)
def test_a_type_that_cannot_pass_is_refused_by_name(client: Client, expression: str) -> None:
    with pytest.raises(ServerException, match="does not pass through") as refused:
        client.execute(f"SELECT {expression}")

    assert ErrorCodes.NOT_IMPLEMENTED == refused.value.code
    assert [(1,)] == client.execute("SELECT 1")


def test_a_table_with_a_type_that_cannot_pass_takes_inserts_of_its_other_columns(
    client: Client,
) -> None:
    client.execute("CREATE TABLE t (a UInt8, s AggregateFunction(sum, UInt8)) ENGINE = Memory")

    client.execute("INSERT INTO t (a) VALUES", [(1,)])
    with pytest.raises(ServerException) as refused:
        client.execute("INSERT INTO t VALUES", [(1, b"")])

    assert ErrorCodes.NOT_IMPLEMENTED == refused.value.code
    assert [(1,)] == client.execute("SELECT a FROM t")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_string_is_only_a_parameter(client: Client, text: str) -> None:
    found = client.execute(
        "SELECT {x:String}, {y:Array(String)}, length({x:String})", {"x": text, "y": [text, text]}
    )

    assert [(text, [text, text], len(text.encode()))] == found


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("UInt8", 255),
        ("Int64", -(2**63)),
        ("UInt64", 2**64 - 1),
        ("Float64", 0.1),
        ("Array(UInt16)", [34235, 34236]),
        ("Array(Array(String))", [["e", "'"], []]),
        ("Tuple(String, UInt8)", ("a'", 1)),
        ("DateTime64(3, 'UTC')", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Date", date(2026, 1, 2)),
    ],
)
def test_parameters_are_typed(client: Client, type_name: str, value: Any) -> None:
    assert [(value,)] == client.execute(f"SELECT {{x:{type_name}}}", {"x": value})


def test_an_identifier_may_be_a_parameter(client: Client) -> None:
    client.execute("CREATE TABLE `odd name` (a UInt8) ENGINE = Memory")

    assert [] == client.execute("SELECT a FROM {name:Identifier}", {"name": "odd name"})


def test_a_parameter_of_the_wrong_type_is_refused(client: Client) -> None:
    with pytest.raises(ServerException) as refused:
        client.execute("SELECT {x:UInt8}", {"x": "not a number"})

    assert BAD_QUERY_PARAMETER == refused.value.code


def test_a_missing_parameter_is_refused(client: Client) -> None:
    with pytest.raises(ServerException) as refused:
        client.execute("SELECT {x:UInt8}")

    assert UNKNOWN_QUERY_PARAMETER == refused.value.code
