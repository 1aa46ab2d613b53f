"""The house rules of every .sql file that answers a question."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from funnel.sql import included_file, load_query, parse_query, with_included_lines

REPOSITORY = Path(__file__).resolve().parent.parent
FILES = sorted(REPOSITORY.glob("*/sql/*.sql"))
# Lines that several of these share. They are checked where they stand, in every file above.
INCLUDED = sorted(REPOSITORY.glob("*/sql/include/*.sql"))

SETTINGS = parse_query(
    "tests.settings",
    """-- What a parameter must not be called.
    SELECT name FROM system.settings
    """,
)

of_each_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: f"{path.parts[-3]}.{path.stem}"
)


def query_in(path: Path):
    return load_query(str(path.parent.parent / "queries.py"), path.stem)


def code_of(path: Path) -> str:
    """The file with the lines that it includes, without comments and string literals."""
    return re.sub(r"'(?:[^'\\]|\\.)*'|--[^\n]*", "''", with_included_lines(path))


@pytest.mark.parametrize(
    "path", [*FILES, *INCLUDED], ids=lambda path: ".".join(path.relative_to(REPOSITORY).parts)
)
def test_the_first_line_says_what_it_is_for(path):
    first = path.read_text().splitlines()[0]

    assert re.fullmatch(r"-- \S.{10,}", first)


def test_lines_to_include_are_shared():
    # What one file alone has stands in it, so that it can be read there.
    included = Counter(
        included_file(path, name)
        for path in FILES
        for name in set(re.findall(r"^\s*-- include (\w+)$", path.read_text(), re.MULTILINE))
    )

    assert INCLUDED == sorted(included)
    assert [] == [path for path, files in included.items() if files == 1]


@of_each_file
def test_it_is_one_statement(path):
    assert ";" not in code_of(path)


@of_each_file
def test_columns_are_named(path):
    code = code_of(path)
    # The columns of a part are named there.
    for part in re.findall(r"^-- part (\w+)", path.read_text(), re.MULTILINE):
        code = code.replace(f"{part}.*", f"{part}.columns")

    assert not re.search(r"(SELECT|DISTINCT|,)\s+(\w+\.)?\*", code, re.IGNORECASE)


@of_each_file
def test_every_parameter_has_a_type_and_nothing_is_left_to_python(path):
    without_parameters = re.sub(r"\{\w+:[^{}]+\}", "", code_of(path))

    assert not re.search(r"[{}]|%\(|%s\b", without_parameters)


@of_each_file
def test_times_are_in_utc(path):
    # A time is sent as text in UTC; without a zone the server would read it in its own.
    for declared in query_in(path).params.values():
        assert "DateTime" not in declared or "'UTC'" in declared


# They tell what is on the disks of a ClickHouse server, which it knows of this moment alone.
OF_THE_SERVER = {"disks", "tables"}


@pytest.mark.parametrize("app", ["analytics", "notifications", "videos"])
def test_every_public_query_takes_the_time(app):
    timeless = [
        path.stem
        for path in sorted((REPOSITORY / app / "sql").glob("*.sql"))
        if path.stem not in OF_THE_SERVER and query_in(path).params.get("now") != "UInt32"
    ]

    assert [] == timeless


def test_no_parameter_is_called_like_a_setting(clickhouse):
    # Over the native protocol both travel alike, and servers 25.8 to 26.6 take one for the other.
    settings = {row["name"] for row in clickhouse.select(SETTINGS, {})}

    wrong = {query.name: settings & query.params.keys() for query in map(query_in, FILES)}

    assert {} == {name: params for name, params in wrong.items() if params}
