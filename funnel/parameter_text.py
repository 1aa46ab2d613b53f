"""Parameters of a query as the server reads them, written in one go.

clickhouse-driver escapes text character by character in Python, twice: the keys of one page took it
longer than all else of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# ClickHouse's documentation, "String literals"; the same as the driver's. The backslash is first,
# because the others bring some of their own.
ESCAPES = (
    ("\\", "\\\\"),
    ("\b", "\\b"),
    ("\f", "\\f"),
    ("\r", "\\r"),
    ("\n", "\\n"),
    ("\t", "\\t"),
    ("\0", "\\0"),
    ("\a", "\\a"),
    ("\v", "\\v"),
    ("'", "\\'"),
)


class Written:
    """Text that is escaped already: the driver takes what is no type that it knows by its str()."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def written(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same parameters; those of text and of several values are written out.

    A parameter travels as a quoted string of its value's text, and text within that is escaped too
    (ClickHouse, "Field dump").
    """
    return {
        name: Written(escaped(value_text(value)))
        if isinstance(value, str | list | tuple)
        else value
        for name, value in params.items()
    }


def value_text(value: Any) -> str:
    """The text of a whole parameter: a string bare, several values as a literal."""
    return escaped(value) if isinstance(value, str) else literal(value)


def literal(value: Any) -> str:
    if isinstance(value, str):
        return f"'{escaped(value)}'"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    return str(value)


def escaped(text: str) -> str:
    # str.translate() looks up each character of a text as soon as one of them becomes two: the keys
    # of a page took it ten times as long.
    for character, instead in ESCAPES:
        text = text.replace(character, instead)
    return text
