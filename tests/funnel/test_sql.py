"""Queries: how a file is read and how values are bound to its parameters."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from funnel.nostr import Kind
from funnel.sql import ConditionalQuery, Query, load_query, parse_query

HEADER = "-- Of the tests.\n"


def a_query(declared: str):
    return parse_query("tests.query", f"{HEADER}SELECT {{value:{declared}}} AS value")


def bound(value, *, to: str):
    return a_query(to).bind({"value": value})["value"]


def test_a_query_is_named_after_its_app_and_file(tmp_path):
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "recent.sql").write_text(f"{HEADER}SELECT {{row_limit:UInt16}} AS n\n")

    query = load_query(str(tmp_path / "queries.py"), "recent")

    assert f"{tmp_path.name}.recent" == query.name
    assert f"{HEADER}SELECT {{row_limit:UInt16}} AS n" == query.text
    assert {"row_limit": "UInt16"} == query.params


def test_a_query_may_be_made_of_others(tmp_path):
    inner = f"{HEADER}SELECT 1 AS n WHERE {{id:String}} = '{{id:String}}' AND {{now:UInt32}} > 0"
    outer = "WITH\n    {name:String} AS name\nSELECT n FROM inner"
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "inner.sql").write_text(inner)
    (tmp_path / "sql" / "outer.sql").write_text(f"{HEADER}-- part inner (id = name)\n{outer}\n")

    query = load_query(str(tmp_path / "queries.py"), "outer")

    assert {"now": "UInt32", "name": "String"} == query.params
    inner_by_name = inner.replace("{id:String} =", "name =")
    assert query.text.endswith(outer.replace("WITH", f"WITH\ninner AS (\n{inner_by_name}\n),"))

    (tmp_path / "sql" / "outer.sql").write_text(
        f"{HEADER}-- part inner (id = name, now = name)\n{outer}\n"
    )
    inner_by_names = inner_by_name.replace("{now:UInt32} >", "name >")
    assert inner_by_names in load_query(str(tmp_path / "queries.py"), "outer").text


def test_parts_need_a_place_to_stand(tmp_path):
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "inner.sql").write_text(f"{HEADER}SELECT 1 AS n")
    (tmp_path / "sql" / "outer.sql").write_text(f"{HEADER}-- part inner\nSELECT n FROM inner\n")

    with pytest.raises(ValueError, match=r"^outer: the query has no WITH for its parts"):
        load_query(str(tmp_path / "queries.py"), "outer")


def test_a_name_stands_for_a_parameter_that_there_is():
    with pytest.raises(ValueError, match=r"^tests\.query has no id\.$"):
        a_query("UInt8").with_names_for({"id": "name"})


CONDITIONAL = f"""{HEADER}SELECT 1 AS n
WHERE {{now:UInt32}} > 0
    -- if author
    AND pubkey = {{author:String}}
    -- if author and since
    -- both of them
    AND at >= {{since:UInt32}}
    -- end
LIMIT 1"""


@pytest.mark.parametrize(
    ("names", "params", "lines"),
    [
        ([], {"now"}, [0, 1, 2, 9]),
        (["author"], {"now", "author"}, [0, 1, 2, 4, 9]),
        (["since"], {"now"}, [0, 1, 2, 9]),
        (["since", "author"], {"now", "author", "since"}, [0, 1, 2, 4, 6, 7, 9]),
    ],
)
def test_a_query_has_the_conditions_that_it_is_given(names, params, lines):
    query = ConditionalQuery(parse_query("tests.query", CONDITIONAL)).given(names)

    every_line = CONDITIONAL.splitlines()
    assert [every_line[number] for number in lines] == query.text.splitlines()
    assert params == query.params.keys()
    assert "tests.query" == query.name


def test_no_condition_is_left_out_unheard():
    query = ConditionalQuery(parse_query("tests.query", CONDITIONAL))

    with pytest.raises(ValueError, match=r"^tests\.query has no autor, before\.$"):
        query.given(["autor", "since", "before"])


def test_a_condition_ends():
    endless = parse_query("tests.query", CONDITIONAL.replace("    -- end\n", ""))

    with pytest.raises(ValueError, match=r"^tests\.query: author and since has no end\.$"):
        ConditionalQuery(endless)


INCLUDING = f"""{HEADER}SELECT n
FROM (
    SELECT 1 AS n
    WHERE {{since:UInt32}} > 0
        -- include of_author
    -- if ahead
    UNION ALL
    SELECT 2 AS n
    WHERE true
        -- include of_author
        AND true
    -- end
)"""
OF_AUTHOR = """-- Whose they are.
AND at <= {now:UInt32}
-- if author
AND pubkey IN (
    {author:String}
)
-- end
"""
WRITTEN_OUT = f"""{HEADER}SELECT n
FROM (
    SELECT 1 AS n
    WHERE {{since:UInt32}} > 0
        AND at <= {{now:UInt32}}
        -- if author
        AND pubkey IN (
            {{author:String}}
        )
        -- end
    -- if ahead
    UNION ALL
    SELECT 2 AS n
    WHERE true
        AND at <= {{now:UInt32}}
        -- if ahead and author
        AND pubkey IN (
            {{author:String}}
        )
        -- if ahead
        AND true
    -- end
)"""


def a_query_of_files(directory: Path, outer: str, **included: str) -> Query:
    (directory / "sql" / "include").mkdir(parents=True)
    (directory / "sql" / "outer.sql").write_text(outer)
    for name, text in included.items():
        (directory / "sql" / "include" / f"{name}.sql").write_text(text)
    return load_query(str(directory / "queries.py"), "outer")


def test_lines_that_queries_share_stand_where_they_are_included(tmp_path):
    including = a_query_of_files(tmp_path, INCLUDING, of_author=OF_AUTHOR)

    assert {"since": "UInt32", "now": "UInt32", "author": "String"} == including.params
    written_out = ConditionalQuery(parse_query("tests.query", WRITTEN_OUT))
    for names in ([], ["author"], ["ahead"], ["ahead", "author"]):
        given = ConditionalQuery(including).given(names)

        assert written_out.given(names).text == given.text
        assert written_out.given(names).params == given.params


def test_lines_that_apps_share_are_those_of_funnel_unless_an_app_has_its_own(tmp_path):
    shared = a_query_of_files(tmp_path / "a", f"{HEADER}-- include live_acts\n")
    own = a_query_of_files(
        tmp_path / "b", f"{HEADER}-- include live_acts\n", live_acts=f"{HEADER}AND mine"
    )

    assert {"now": "UInt32"} == shared.params
    assert f"{HEADER}AND mine" == own.text


@pytest.mark.parametrize(
    ("included", "sentence"),
    [
        ({}, r"^outer\.sql: there is no include/of_author\.sql\.$"),
        ({"of_author": "AND true"}, r"^of_author\.sql: the first line must be a comment"),
        ({"of_author": ""}, r"^of_author\.sql: the first line must be a comment"),
        ({"of_author": f"{HEADER}-- if a and b\nAND a"}, r"^of_author\.sql: a and b has no end\.$"),
        ({"of_author": f"{HEADER}-- include b", "b": HEADER}, r"^of_author\.sql is included, so"),
        ({"of_author": f"{HEADER}-- part outer"}, r"^of_author\.sql is included, so"),
        ({"of_author": f"{HEADER}AND {{since:Int64}}"}, "since is declared with two types"),
    ],
)
def test_lines_that_cannot_be_included_are_refused(tmp_path, included, sentence):
    with pytest.raises(ValueError, match=sentence):
        a_query_of_files(tmp_path, INCLUDING, **included)


def test_a_file_without_a_first_line_that_says_what_it_is_for_is_refused():
    with pytest.raises(ValueError, match=r"tests\.query: the first line must be a comment"):
        parse_query("tests.query", "SELECT 1 AS answer")


def test_parameters_are_found_outside_of_literals_names_and_comments():
    query = parse_query(
        "tests.query",
        """-- Not {header:String}.
        SELECT '{literal:String} \\' {still:String}' AS a, "{name:String}" AS b,
            `{tick:String}` AS c
        -- not {comment:String} either, it's a comment
        /* nor {this:String}
        */
        FROM {table:Identifier} WHERE at > { after : DateTime64(3, 'UTC') }
            AND kind IN {kinds:Array(UInt16)} AND other IN {kinds:Array(UInt16)}
        """,
    )

    assert {
        "table": "Identifier",
        "after": "DateTime64(3, 'UTC')",
        "kinds": "Array(UInt16)",
    } == query.params


def test_a_parameter_has_one_type():
    with pytest.raises(ValueError, match="kind is declared with two types"):
        parse_query("tests.query", HEADER + "SELECT {kind:UInt16} AS a, {kind:UInt32} AS b")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, r"^tests\.query is missing value\.$"),
        ({"value": 1, "limit": 2}, r"^tests\.query has no limit\.$"),
        ({"valeu": 1}, r"^tests\.query is missing value and has no valeu\.$"),
    ],
)
def test_a_query_is_asked_with_exactly_its_parameters(values, sentence):
    with pytest.raises(TypeError, match=sentence):
        a_query("UInt8").bind(values)


@pytest.mark.parametrize(
    ("declared", "value", "sent"),
    [
        ("String", "it's\n", "it's\n"),
        ("Float64", 0.5, 0.5),
        ("Bool", True, 1),
        ("UInt16", Kind.SHORT_VIDEO, 22),
        ("Array(UInt16)", (Kind.VIDEO, Kind.SHORT_VIDEO), [21, 22]),
        ("Array(Array(String))", [("a", "b"), ()], [["a", "b"], []]),
        ("Array(Tuple(String, UInt8))", [("a", 1)], [("a", 1)]),
        ("Date", dt.date(2024, 2, 29), "2024-02-29"),
        (
            "DateTime('UTC')",
            dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=dt.UTC),
            "2024-02-29 01:02:03",
        ),
        (
            "DateTime64(6, 'UTC')",
            dt.datetime(2024, 3, 1, 1, 0, 0, 120, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            "2024-02-29 23:00:00.000120",
        ),
    ],
)
def test_values_are_sent_so_that_nothing_is_lost(declared, value, sent):
    assert sent == bound(value, to=declared)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("String", None),
        ("Array(String)", ["a", None]),
        ("String", b"bytes"),
        ("Array(String)", {"a"}),
        ("DateTime('UTC')", dt.datetime(2024, 2, 29)),  # noqa: DTZ001
    ],
)
def test_a_value_that_would_be_lost_is_refused(declared, value):
    with pytest.raises(TypeError, match=r"^tests\.query: value is "):
        bound(value, to=declared)


@pytest.mark.parametrize(
    ("declared", "value"),
    [("UInt8", 256), ("UInt16", -1), ("Int8", 128), ("Int8", -129), ("Array(UInt16)", [1, 65_536])],
)
def test_an_integer_that_the_server_would_wrap_around_is_refused(declared, value):
    with pytest.raises(ValueError, match="does not fit"):
        bound(value, to=declared)


@pytest.mark.parametrize(("declared", "value"), [("UInt64", 2**64 - 1), ("Int8", -128)])
def test_the_greatest_and_the_smallest_integer_fit(declared, value):
    assert value == bound(value, to=declared)
