"""What has to be known of a statement's text: INSERTs that wait for data, and parameter values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<gap> \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<quoted> '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*` )
  | (?P<parameter> \{[^{}]*\} )
  | (?P<word> \w+ )
  | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)

# Statements that begin so change no column of any table, and no setting.
CHANGES_ROWS_ONLY = frozenset({"INSERT", "TRUNCATE", "DELETE", "UPDATE", "OPTIMIZE"})

ESCAPES = {
    "b": "\b", "f": "\f", "r": "\r", "n": "\n", "t": "\t", "0": "\0", "a": "\a", "v": "\v",
    "e": "\x1b", "\\": "\\", "'": "'", '"': '"', "`": "`",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows follow as blocks.

    `table`, `column_list` and `settings` are the statement's own text, the last two perhaps empty;
    `columns` are the plain names of the list, none when the statement names none.
    """

    table: str
    column_list: str
    columns: tuple[str, ...]
    settings: str


def parse_insert(sql: str) -> Insert | None:
    """The INSERT that waits for blocks, or None: any other statement, also INSERT … SELECT and
    INSERT … VALUES with the values in the text.
    """
    tokens = Tokens(sql)
    if not tokens.accept("INSERT"):
        return None
    tokens.accept("INTO")
    tokens.accept("TABLE")

    start = tokens.start
    tokens.advance()
    while tokens.accept("."):
        tokens.advance()
    table = sql[start : tokens.end_of_last].strip()

    start = tokens.start
    columns = tokens.column_names() if tokens.text == "(" else ()
    column_list = sql[start : tokens.end_of_last] if columns else ""

    start = tokens.start
    if tokens.accept("SETTINGS"):
        while tokens.text and tokens.text.upper() not in {"FORMAT", "VALUES", "SELECT", "WITH"}:
            tokens.advance()
        settings = sql[start : tokens.end_of_last]
    else:
        settings = ""

    if tokens.accept("FORMAT"):
        tokens.advance()
    else:
        tokens.accept("VALUES")
    tokens.accept(";")
    if tokens.text:
        return None
    return Insert(table, column_list, columns, settings)


def changes_definitions(sql: str) -> bool:
    """Whether a statement that is no question may change the columns of a table, or a setting."""
    tokens = Tokens(sql)
    if tokens.text.upper() in CHANGES_ROWS_ONLY:
        return False
    if not (tokens.accept("ALTER") and tokens.accept("TABLE")):
        return True
    tokens.advance()
    while tokens.accept("."):
        tokens.advance()
    if not (tokens.accept("DROP") and tokens.accept("PARTITION")):
        return True
    # Its value; after it could come another change.
    tokens.advance()
    return bool(tokens.text)


class Tokens:
    """A cursor over the tokens of a statement, gaps and comments left out; '' after the last."""

    def __init__(self, sql: str) -> None:
        self._matches: Iterator[re.Match[str]] = TOKEN.finditer(sql)
        self.text = ""
        self.start = self.end_of_last = self._end = 0
        self.advance()

    def advance(self) -> None:
        self.end_of_last = self._end
        for match in self._matches:
            if match.lastgroup != "gap":
                self.text, self.start, self._end = match.group(), match.start(), match.end()
                return
        self.text, self.start = "", self._end

    def accept(self, text: str) -> bool:
        if self.text.upper() != text:
            return False
        self.advance()
        return True

    def column_names(self) -> tuple[str, ...]:
        """The names of a list in brackets; a nested column's is `parent.child`.

        The cursor stays before whatever is not such a list, as a SELECT in brackets.
        """
        names = []
        self.accept("(")
        while is_identifier(self.text):
            name = identifier(self.text)
            self.advance()
            while self.accept("."):
                name += "." + identifier(self.text)
                self.advance()
            names.append(name)
            if not self.accept(","):
                break
        return tuple(names) if self.accept(")") else ()


def is_identifier(token: str) -> bool:
    return token.isidentifier() or token[:1] in ("`", '"')


def identifier(token: str) -> str:
    quote = token[0]
    if quote not in '`"':
        return token
    return re.sub(r"\\(.)", r"\1", token[1:-1].replace(quote * 2, quote), flags=re.DOTALL)


def literal(value: str) -> str:
    """`value` as a string literal of SQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parameter_text(value: str) -> str:
    """A parameter as the engine takes it: what a client sends, less one level of quoting."""
    if len(value) < 2 or not (value[0] == value[-1] == "'"):
        return value
    return re.sub(
        r"\\(.)",
        lambda match: ESCAPES.get(match.group(1), match.group()),
        value[1:-1],
        flags=re.DOTALL,
    )
