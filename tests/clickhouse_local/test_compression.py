"""Frames are read back as written, and damaged ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.clickhouse_local.compression import FRAME_BYTES, compress, read_frame
from funnel.clickhouse_local.protocol import ByteStream, Disconnected, ErrorCode, ProtocolError


def stream_of(content: bytes) -> ByteStream:
    pieces = iter((content,))
    return ByteStream(lambda: next(pieces, b""), limit_bytes=100_000_000)


@given(content=st.binary(min_size=1, max_size=1000))
def test_a_frame_gives_back_its_content(content: bytes) -> None:
    assert content == read_frame(stream_of(compress(content)))


def test_a_long_content_takes_several_frames() -> None:
    content = bytes(range(256)) * (FRAME_BYTES // 100)
    stream = stream_of(compress(content))

    pieces = [read_frame(stream) for _ in range(3)]

    assert content == b"".join(pieces)


@given(position=st.integers(0, 30), bit=st.integers(0, 7))
def test_a_damaged_frame_is_refused(position: int, bit: int) -> None:
    frame = bytearray(compress(b"some content that is long enough to be packed" * 3))
    frame[position] ^= 1 << bit

    with pytest.raises((ProtocolError, Disconnected)):
        read_frame(stream_of(bytes(frame)))


def test_another_method_is_refused_by_name() -> None:
    from funnel.clickhouse_local.compression import HEADER, checksum

    frame = HEADER.pack(0x90, HEADER.size + 3, 3) + b"abc"

    with pytest.raises(ProtocolError, match="LZ4") as refused:
        read_frame(stream_of(checksum(frame) + frame))

    assert ErrorCode.NOT_IMPLEMENTED == refused.value.code
