"""Blocks are followed to their last byte, in whatever pieces they arrive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_driver.block import RowOrientedBlock
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.streams.native import BlockOutputStream
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel.clickhouse_local import native
from funnel.clickhouse_local.protocol import (
    REVISION,
    ByteStream,
    Disconnected,
    ProtocolError,
    QueryError,
)

COLUMNS: list[tuple[str, str, st.SearchStrategy[Any]]] = [
    ("id", "String", st.text(max_size=300)),
    ("n", "UInt64", st.integers(0, 2**64 - 1)),
    ("tags", "Array(Array(String))", st.lists(st.lists(st.text(max_size=5), max_size=3))),
    ("maybe", "Nullable(String)", st.none() | st.text(max_size=5)),
    ("word", "LowCardinality(String)", st.sampled_from(["", "a", "b", "c" * 200])),
    ("words", "Array(LowCardinality(Nullable(String)))", st.lists(st.none() | st.just("w"))),
    ("pairs", "Map(String, UInt8)", st.dictionaries(st.text(max_size=3), st.integers(0, 255))),
    ("both", "Tuple(a UInt8, `b c` String)", st.tuples(st.integers(0, 255), st.text(max_size=3))),
]
ROWS = st.lists(st.tuples(*(strategy for _, _, strategy in COLUMNS)), min_size=1, max_size=20)


def sent_by_driver(rows: list[tuple[Any, ...]]) -> bytes:
    context = Context()
    context.server_info = SimpleNamespace(used_revision=REVISION, get_timezone=lambda: "UTC")
    context.settings = {}
    context.client_settings = defaultdict(bool, strings_encoding="utf-8")
    sent = bytearray()
    writer = BufferedSocketWriter(SimpleNamespace(sendall=sent.extend), 4096)
    block = RowOrientedBlock([(name, kind) for name, kind, _ in COLUMNS], rows)
    BlockOutputStream(writer, context).write(block)
    return bytes(sent)


def stream_of(content: bytes, piece_bytes: int) -> ByteStream:
    pieces: Iterator[bytes] = (
        content[start : start + piece_bytes] for start in range(0, len(content), piece_bytes)
    )
    return ByteStream(lambda: next(pieces, b""), limit_bytes=10_000_000)


@given(rows=ROWS, piece_bytes=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_a_block_in_pieces_is_read_to_its_end_and_written_back(
    rows: list[tuple[Any, ...]], piece_bytes: int
) -> None:
    sent = sent_by_driver(rows)
    stream = stream_of(sent + b"next packet", piece_bytes)

    block = native.read_block(stream, from_client=True)

    assert len(rows) == block.rows
    assert len(sent) == stream.position
    assert sent == native.encode_block(block, for_client=True)


@given(rows=ROWS, data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_block_cut_anywhere_is_never_taken_for_whole(
    rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    sent = sent_by_driver(rows)
    cut = data.draw(st.integers(0, len(sent) - 1))

    with pytest.raises(Disconnected):
        native.read_block(stream_of(sent[:cut], 64), from_client=True)


@given(noise=st.binary(max_size=200))
def test_noise_instead_of_a_block_ends_in_an_error_of_ours(noise: bytes) -> None:
    stream = stream_of(native.BLOCK_INFO + noise, 1000)

    with suppress(ProtocolError, Disconnected, native.UnsupportedType):
        native.read_block(stream, from_client=True)

    assert stream.position >= len(native.BLOCK_INFO)


def test_several_blocks_of_the_engine_are_told_apart() -> None:
    one = b"\x01\x02\x01a\x06String\x01x\x02yz"
    two = b"\x01\x01\x01a\x06String\x00"

    blocks = list(native.engine_blocks(one + two))

    assert [2, 1] == [block.rows for block in blocks]
    assert [b"\x01x\x02yz", b"\x00"] == [block.columns[0].values for block in blocks]


def test_a_result_in_another_format_is_refused() -> None:
    with pytest.raises(QueryError):
        list(native.engine_blocks(b'{\n\t"meta": []}'))


@pytest.mark.parametrize(
    "type_name",
    [
        "",
        "Nonsense",
        "Array",
        "Array()",
        "Decimal(77, 1)",
        "FixedString(x)",
        "Tuple()",
        "Array(" * 100 + "UInt8" + ")" * 100,
    ],
)
def test_a_type_nobody_knows_is_refused(type_name: str) -> None:
    with pytest.raises(native.UnsupportedType):
        native.layout_of(type_name, from_client=True)


@pytest.mark.parametrize(
    ("type_name", "expected"),
    [
        ("UInt8", ("UInt8", [])),
        ("Map(String, Array(UInt8))", ("Map", ["String", "Array(UInt8)"])),
        ("Enum8('a, (' = 1, 'it''s)' = 2)", ("Enum8", ["'a, (' = 1", "'it''s)' = 2"])),
        (
            "Tuple(`a, (` UInt8, b DateTime64(3, 'UTC'))",
            ("Tuple", ["`a, (` UInt8", "b DateTime64(3, 'UTC')"]),
        ),
    ],
)
def test_types_are_split_at_their_own_commas(
    type_name: str, expected: tuple[str, list[str]]
) -> None:
    assert expected == native.split_type(type_name)
