"""Blocks in ClickHouse's Native format, of which this module knows only where the columns end.

The protocol's blocks have a preamble and one more byte per column than the engine's, and neither
has a length: whoever moves a block from one side to the other has to walk its columns.
Source: https://clickhouse.com/docs/native-protocol/columns and /interfaces/formats/Native.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from .protocol import ByteStream, Disconnected, ErrorCode, ProtocolError, QueryError
from .protocol import string as encode_string
from .protocol import varint as encode_varint

# Field 1: no overflow rows; field 2: no bucket; field 0: the end.
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
PLAIN_SERIALIZATION = b"\x00"

MAX_TYPE_DEPTH = 32

FIXED_WIDTHS = {
    "Nothing": 1, "Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1,
    "Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
    "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4,
    "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8,
    "Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16,
    "Int256": 32, "UInt256": 32,
}  # fmt: skip
# How far the precision of a Decimal(P, S) reaches in each width.
DECIMAL_WIDTHS = ((9, 4), (18, 8), (38, 16), (76, 32))

SHAPES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiLineString": "Array(LineString)",
    "Polygon": "Array(Ring)",
    "MultiPolygon": "Array(Polygon)",
}

# `name Type` inside Tuple and Nested.
ELEMENT_NAME = re.compile(r"(?:`(?:[^`\\]|\\.|``)*`|\w+)\s+", re.DOTALL)
QUOTED_OR_MARK = re.compile(r"'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|[(),]", re.DOTALL)


class Layout(Protocol):
    """How the values of one type lie in a column.

    `prefixes` counts the columns inside that announce a version (8 bytes each) before the data.
    """

    @property
    def prefixes(self) -> int: ...

    def skip(self, stream: ByteStream, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class FixedWidth:
    width: int
    prefixes: int = 0

    def skip(self, stream: ByteStream, rows: int) -> None:
        stream.skip(self.width * rows)


@dataclass(frozen=True, slots=True)
class Strings:
    prefixes: int = 0

    def skip(self, stream: ByteStream, rows: int) -> None:
        # The one loop over values, so its common case calls nothing. Positions may run ahead of
        # what has arrived; the next look at the buffer notices.
        buffer, position = stream.buffer, stream.position
        for _ in range(rows):
            start = position
            try:
                length = buffer[position]
                position += 1
                if length >= 0x80:
                    high = buffer[position]
                    position += 1
                    if high >= 0x80:
                        raise IndexError
                    length = length & 0x7F | high << 7
            except IndexError:
                stream.position = start
                length = stream.varint()
                position = stream.position
            position += length
        stream.position = position
        stream.need(0)


@dataclass(frozen=True, slots=True)
class Nullable:
    nested: Layout

    @property
    def prefixes(self) -> int:
        return self.nested.prefixes

    def skip(self, stream: ByteStream, rows: int) -> None:
        stream.skip(rows)
        self.nested.skip(stream, rows)


@dataclass(frozen=True, slots=True)
class Array:
    nested: Layout

    @property
    def prefixes(self) -> int:
        return self.nested.prefixes

    def skip(self, stream: ByteStream, rows: int) -> None:
        if rows == 0:
            return
        stream.skip(8 * rows)
        last_offset = stream.buffer[stream.position - 8 : stream.position]
        self.nested.skip(stream, int.from_bytes(last_offset, "little"))


@dataclass(frozen=True, slots=True)
class Tuple:
    elements: tuple[Layout, ...]

    @property
    def prefixes(self) -> int:
        return sum(element.prefixes for element in self.elements)

    def skip(self, stream: ByteStream, rows: int) -> None:
        for element in self.elements:
            element.skip(stream, rows)


@dataclass(frozen=True, slots=True)
class LowCardinality:
    keys: Layout
    prefixes: int = 1

    def skip(self, stream: ByteStream, rows: int) -> None:
        if rows == 0:
            return
        flags = int.from_bytes(stream.take(8), "little")
        for layout in (self.keys, FixedWidth(1 << (flags & 0x03))):
            layout.skip(stream, int.from_bytes(stream.take(8), "little"))


class UnsupportedType(Exception):
    """Where values of the type end is not known here."""

    def __init__(self, type_name: str) -> None:
        super().__init__(
            f"Type {type_name} does not pass through clickhouse_local; cast it, as with toString()"
        )


@lru_cache(maxsize=1024)
def layout_of(type_name: str, *, from_client: bool, depth: int = 0) -> Layout:
    """The layout of a type as ClickHouse spells it, e.g. `Array(Tuple(a String, b Int8))`.

    JSON comes from the engine as text (see PROFILE in engine.py); clients have several ways of
    writing it, none of which is followed here.
    """
    if depth > MAX_TYPE_DEPTH:
        raise UnsupportedType(type_name)
    head, arguments = split_type(type_name)

    def nested(argument: str) -> Layout:
        return layout_of(argument, from_client=from_client, depth=depth + 1)

    match head, arguments:
        case ("String", []):
            return Strings()
        case ("JSON", _) if not from_client:
            return Strings(prefixes=1)
        case ("FixedString", [width]) if width.isdecimal():
            return FixedWidth(int(width))
        case ("Decimal", [precision, *_]) if precision.isdecimal():
            for limit, width_bytes in DECIMAL_WIDTHS:
                if int(precision) <= limit:
                    return FixedWidth(width_bytes)
        case ("Nullable", [inner]):
            return Nullable(nested(inner))
        case ("Array", [inner]):
            return Array(nested(inner))
        case ("Nested", [_, *_]):
            return Array(nested(f"Tuple({', '.join(arguments)})"))
        case ("Tuple", [_, *_]):
            return Tuple(tuple(nested(ELEMENT_NAME.sub("", item, count=1)) for item in arguments))
        case ("Map", [key, value]):
            return Array(Tuple((nested(key), nested(value))))
        case ("LowCardinality", [inner]):
            # The dictionary holds the plain values; NULL is its first key.
            key_type, key_arguments = split_type(inner)
            return LowCardinality(nested(key_arguments[0] if key_type == "Nullable" else inner))
        case ("SimpleAggregateFunction", [_, inner]):
            return nested(inner)
        case (_, []) if head in SHAPES:
            return nested(SHAPES[head])
        case (_, []) if head.startswith("Interval"):
            return FixedWidth(8)
        case _ if head in FIXED_WIDTHS:
            return FixedWidth(FIXED_WIDTHS[head])
    raise UnsupportedType(type_name)


def check_insertable(type_name: str) -> None:
    """Raises QueryError for a type whose values cannot come from a client."""
    try:
        layout_of(type_name, from_client=True)
    except UnsupportedType as error:
        raise QueryError.ours(ErrorCode.NOT_IMPLEMENTED, str(error)) from error


def split_type(type_name: str) -> tuple[str, list[str]]:
    """`Map(String, Array(UInt8))` → `Map`, [`String`, `Array(UInt8)`]; quotes are respected."""
    head, bracket, rest = type_name.strip().partition("(")
    if not bracket:
        return head, []
    arguments, depth, start = [], 0, 0
    for token in QUOTED_OR_MARK.finditer(rest):
        mark = token.group()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
        if (mark == "," and depth == 0) or depth < 0:
            arguments.append(rest[start : token.start()].strip())
            start = token.end()
        if depth < 0:
            break
    return head.strip(), [argument for argument in arguments if argument]


@dataclass(frozen=True, slots=True)
class Column:
    """`values` is the column as it lies in both kinds of block, dictionaries' versions included."""

    name: bytes
    type_name: str
    values: bytes


@dataclass(frozen=True, slots=True)
class Block:
    columns: tuple[Column, ...]
    rows: int

    @property
    def header(self) -> Block:
        """The same columns without rows."""
        return Block(tuple(Column(c.name, c.type_name, b"") for c in self.columns), 0)


EMPTY_BLOCK = Block((), 0)


def block_without_rows(columns: Iterable[tuple[str, str]]) -> Block:
    """From names and types."""
    return Block(tuple(Column(name.encode(), kind, b"") for name, kind in columns), 0)


def read_block(stream: ByteStream, *, from_client: bool) -> Block:
    """The next block of a client, or of the engine's `FORMAT Native`."""
    if from_client:
        skip_block_info(stream)
    column_count, rows = stream.varint(), stream.varint()
    columns = []
    for _ in range(column_count):
        name, type_name = stream.string(), stream.text()
        if from_client and stream.take(1) != PLAIN_SERIALIZATION:
            raise ProtocolError("sparse columns are not understood", ErrorCode.NOT_IMPLEMENTED)
        start = stream.position
        if rows:
            layout = layout_of(type_name, from_client=from_client)
            stream.skip(8 * layout.prefixes)
            layout.skip(stream, rows)
        columns.append(Column(name, type_name, bytes(stream.buffer[start : stream.position])))
    return Block(tuple(columns), rows)


def skip_block_info(stream: ByteStream) -> None:
    while field := stream.varint():
        if field not in (1, 2):
            raise ProtocolError("a block announces an unknown field")
        stream.skip(1 if field == 1 else 4)


def engine_blocks(content: bytes) -> Iterator[Block]:
    """The blocks of one piece of the engine's output."""
    pieces = iter((content,))
    stream = ByteStream(lambda: next(pieces, b""), limit_bytes=len(content))
    try:
        stream.more()
        while stream.position < len(stream.buffer):
            yield read_block(stream, from_client=False)
    except UnsupportedType as error:
        raise QueryError.ours(ErrorCode.NOT_IMPLEMENTED, str(error)) from error
    except (Disconnected, ProtocolError) as error:
        raise QueryError.ours(
            ErrorCode.NOT_IMPLEMENTED, "The result is not in Native format; leave out FORMAT"
        ) from error


def encode_block(block: Block, *, for_client: bool) -> bytes:
    pieces = [BLOCK_INFO] if for_client else []
    pieces += [encode_varint(len(block.columns)), encode_varint(block.rows)]
    for column in block.columns:
        pieces += [encode_string(column.name), encode_string(column.type_name)]
        if for_client:
            pieces.append(PLAIN_SERIALIZATION)
        pieces.append(column.values)
    return b"".join(pieces)
