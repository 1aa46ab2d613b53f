"""Named SQL files with typed parameters, which the server fills in and Python never does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

# A parameter outside of string literals, quoted identifiers and comments, which are skipped.
TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.)*' | `[^`]*` | "[^"]*" | --[^\n]* | /\*.*?\*/
      | \{ \s* (?P<name>\w+) \s* : \s* (?P<type>[^{}]+?) \s* \}""",
    re.VERBOSE | re.DOTALL,
)
# A line of a query that is made of another one, of which names may stand for parameters.
PART = re.compile(r"-- part (?P<name>\w+)(?: \((?P<stand>\w+ = \w+(?:, \w+ = \w+)*)\))?")
# Where the lines begin that a query has only if these names are given, and where they end.
MARK = re.compile(r"\s*-- (?:if (?P<names>\w+(?: and \w+)*)|end)")
# A line that the lines of `include/<name>.sql` take the place of.
INCLUDE = re.compile(r"(?P<indent>\s*)-- include (?P<name>.+)")
# Where those are that several apps have.
SHARED_BY_APPS = Path(__file__).resolve().parent / "sql" / "include"
INTEGER = re.compile(r"(?P<unsigned>U?)Int(?P<bits>8|16|32|64|128|256)")


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """One question to ClickHouse.

    name: `<app>.<file>`, the label of its metrics and of system.query_log.
    text: SQL with parameters `{name:Type}` (ClickHouse, "Defining and using query parameters").
    params: the type that the text declares for each parameter's name.
    """

    name: str
    text: str
    params: Mapping[str, str]

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as the driver has to be given them; exactly the declared ones.

        Raises TypeError when one is missing, unknown or of a type that cannot be sent faithfully,
        and ValueError for an integer that its declared type cannot hold.
        """
        if values.keys() != self.params.keys():
            missing = sorted(self.params.keys() - values.keys())
            unknown = sorted(values.keys() - self.params.keys())
            parts = [
                f"{what} {', '.join(names)}"
                for what, names in (("is missing", missing), ("has no", unknown))
                if names
            ]
            raise TypeError(f"{self.name} {' and '.join(parts)}.")
        return {
            name: sendable(value, self.params[name], f"{self.name}: {name}")
            for name, value in values.items()
        }

    def with_names_for(self, names: Mapping[str, str]) -> str:
        """The text where names of the query around it stand for parameters.

        Raises ValueError when there is no such parameter.
        """
        if unknown := sorted(names.keys() - self.params.keys()):
            raise ValueError(f"{self.name} has no {', '.join(unknown)}.")
        return TOKEN.sub(lambda token: names.get(token["name"] or "", token[0]), self.text)


class ConditionalQuery:
    """A question that is asked without the conditions that rule nothing out this time.

    Planning one costs the same whether it does or not. In the file the lines of a condition stand
    between `-- if name` and the next such line, or `-- end`; some need several names, joined by
    `and`. Which lines are sent is decided by names alone, values are parameters as ever.
    """

    def __init__(self, whole: Query) -> None:
        """whole: the query with all lines. Raises ValueError where a condition has no end."""
        self.whole = whole
        # Each line, and the names that it needs.
        self.lines: list[tuple[str, frozenset[str]]] = []
        needed: frozenset[str] = frozenset()
        for line in whole.text.splitlines():
            if mark := MARK.fullmatch(line):
                needed = frozenset(mark["names"].split(" and ") if mark["names"] else ())
            else:
                self.lines.append((line, needed))
        if needed:
            raise ValueError(f"{whole.name}: {' and '.join(sorted(needed))} has no end.")
        self.names = frozenset[str]().union(*(needed for _, needed in self.lines))
        self.made: dict[frozenset[str], Query] = {}

    def given(self, names: Iterable[str]) -> Query:
        """The query with the lines for these names.

        Raises ValueError for a name that the file does not know: no filter goes unheard.
        """
        wanted = frozenset(names)
        if wanted not in self.made:
            if unknown := wanted - self.names:
                raise ValueError(f"{self.whole.name} has no {', '.join(sorted(unknown))}.")
            lines = [line for line, needed in self.lines if needed <= wanted]
            self.made[wanted] = parse_query(self.whole.name, "\n".join(lines))
        return self.made[wanted]


def load_query(module_file: str, name: str) -> Query:
    """Reads `sql/<name>.sql` beside the module whose `__file__` is given.

    Where the file has a line `-- part other (parameter = name)`, `other.sql` comes before its WITH,
    as a common table expression `other` in which the name stands for the parameter; several have
    commas between. So what would take two questions takes one. A line `-- include lines` is
    replaced as in with_included_lines().

    Raises ValueError when the file does not begin with a comment that says what it is for,
    declares a parameter with two types, has parts but no WITH, or includes what cannot be included.
    """
    package = Path(module_file).resolve().parent
    text = with_included_lines(package / "sql" / f"{name}.sql")
    parts = [
        f"{part['name']} AS (\n{text_of_part(module_file, part)}\n),\n"
        for line in text.splitlines()
        if (part := PART.fullmatch(line))
    ]
    if parts:
        text, found = re.subn(
            r"^WITH\n", lambda _: "WITH\n" + "".join(parts), text, count=1, flags=re.M
        )
        if not found:
            raise ValueError(f"{name}: the query has no WITH for its parts to come before.")
    return parse_query(f"{package.name}.{name}", text)


def with_included_lines(path: Path) -> str:
    """The text of a query's file in which the lines that it shares with others are its own.

    A line `-- include lines` stands for those of `include/lines.sql` beside the file, or of funnel
    where several apps have them, without their first, which says what they are for. They are
    indented like it and stand under the condition that it stands under; conditions of their own are
    added to that one, and end.

    Raises ValueError when there is no such file, or when it does not begin with a comment, is made
    of others itself, or has a condition without an end.
    """
    lines: list[str] = []
    needed = ""
    for line in path.read_text().splitlines():
        if mark := MARK.fullmatch(line):
            needed = mark["names"] or ""
        if include := INCLUDE.fullmatch(line):
            shared = lines_to_include(included_file(path, include["name"]), needed)
            lines += [f"{include['indent']}{line}" for line in shared]
        else:
            lines.append(line)
    return "\n".join(lines)


def included_file(path: Path, name: str) -> Path:
    """The file that `-- include name` means in the query of `path`."""
    for directory in (path.parent / "include", SHARED_BY_APPS):
        file = directory / f"{name}.sql"
        if file.is_file():
            return file
    raise ValueError(f"{path.name}: there is no include/{name}.sql.")


def lines_to_include(path: Path, needed: str) -> Iterator[str]:
    """needed: the names of the condition that all of them stand under, joined by `and`."""
    text, own = path.read_text(), ""
    require_header(path.name, text)
    for line in text.splitlines()[1:]:
        if INCLUDE.fullmatch(line) or PART.fullmatch(line):
            raise ValueError(f"{path.name} is included, so it must not be made of others.")
        if mark := MARK.fullmatch(line):
            own = mark["names"] or ""
            names = " and ".join(filter(None, (needed, own)))
            yield f"-- if {names}" if names else "-- end"
        else:
            yield line
    if own:
        raise ValueError(f"{path.name}: {own} has no end.")


def text_of_part(module_file: str, part: re.Match[str]) -> str:
    query = load_query(module_file, part["name"])
    names = dict(stand.split(" = ") for stand in part["stand"].split(", ")) if part["stand"] else {}
    return query.with_names_for(names)


def parse_query(name: str, text: str) -> Query:
    require_header(name, text)
    params: dict[str, str] = {}
    for token in TOKEN.finditer(text):
        parameter, declared = token["name"], token["type"]
        if parameter and params.setdefault(parameter, declared) != declared:
            raise ValueError(f"{name}: {parameter} is declared with two types.")
    return Query(name, text.strip(), MappingProxyType(params))


def require_header(name: str, text: str) -> None:
    if not text.startswith("-- "):
        raise ValueError(f"{name}: the first line must be a comment that says what it is for.")


def sendable(value: Any, declared: str, where: str) -> Any:
    """One value in a form that clickhouse-driver escapes without loss for the declared type.

    The driver itself would send None as the word NULL, times without their fraction and in the
    server's time zone, a tuple as no array, and unknown types by their repr(). The server would
    wrap an integer that is too large around to another one.
    """
    match value:
        case enum.Enum():
            return sendable(value.value, declared, where)
        case int():
            if not fits(value, declared):
                raise ValueError(f"{where} does not fit {declared}.")
            return int(value)
        case str() | float():
            return value
        case dt.datetime():
            if value.tzinfo is None:
                raise TypeError(f"{where} is a time without a time zone.")
            return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")
        case dt.date():
            return value.isoformat()
        case list() | tuple() if declared.startswith("Array("):
            inner = declared.removeprefix("Array(").removesuffix(")")
            return [sendable(element, inner, where) for element in value]
        case tuple():
            return tuple(sendable(element, "", where) for element in value)
        case None:
            raise TypeError(f"{where} is None: '' and 0 stand for what is missing.")
        case _:
            raise TypeError(f"{where} is a {type(value).__name__}, which is no parameter.")


def fits(number: int, declared: str) -> bool:
    """Whether a parameter of the declared type can hold it; the server judges other types."""
    integer = INTEGER.fullmatch(declared)
    if not integer:
        return True
    values: int = 2 ** int(integer["bits"])
    lowest = 0 if integer["unsigned"] else -values // 2
    return lowest <= number < lowest + values
