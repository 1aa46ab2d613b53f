"""Compressed frames of the native protocol: checksum, method, two sizes, LZ4 data.

Source: https://clickhouse.com/docs/native-protocol/compression.
"""

from __future__ import annotations

import struct

from clickhouse_cityhash.cityhash import CityHash128
from lz4 import block as lz4

from .protocol import ByteStream, ErrorCode, ProtocolError

LZ4 = 0x82
UNCOMPRESSED = 0x02

FRAME_BYTES = 1024 * 1024
CHECKSUM_BYTES = 16
# The method and both sizes count as part of the compressed size.
HEADER = struct.Struct("<BII")


def compress(content: bytes) -> bytes:
    """`content` as one frame per FRAME_BYTES."""
    frames = []
    for start in range(0, len(content), FRAME_BYTES):
        piece = content[start : start + FRAME_BYTES]
        packed = lz4.compress(piece, store_size=False)
        frame = HEADER.pack(LZ4, HEADER.size + len(packed), len(piece)) + packed
        frames += [checksum(frame), frame]
    return b"".join(frames)


def read_frame(stream: ByteStream) -> bytes:
    """The content of the next frame; its bytes are released from `stream`."""
    expected = stream.take(CHECKSUM_BYTES)
    header = stream.take(HEADER.size)
    method, size_bytes, content_bytes = HEADER.unpack(header)
    if size_bytes < HEADER.size or max(size_bytes, content_bytes) > stream.limit_bytes:
        raise ProtocolError(
            "a compressed frame claims an impossible size", ErrorCode.TOO_LARGE_SIZE_COMPRESSED
        )
    packed = stream.take(size_bytes - HEADER.size)
    stream.release()

    if checksum(header + packed) != expected:
        raise ProtocolError("a compressed frame arrived damaged", ErrorCode.CHECKSUM_DOESNT_MATCH)
    if method == UNCOMPRESSED:
        return packed
    if method != LZ4:
        raise ProtocolError("only LZ4 compression is understood", ErrorCode.NOT_IMPLEMENTED)
    try:
        return bytes(lz4.decompress(packed, uncompressed_size=content_bytes))
    except lz4.LZ4BlockError as error:
        raise ProtocolError(
            "a compressed frame cannot be unpacked", ErrorCode.CHECKSUM_DOESNT_MATCH
        ) from error


def checksum(frame: bytes) -> bytes:
    """CityHash128, as two little-endian halves of which the upper comes first."""
    upper, lower = divmod(int(CityHash128(frame)), 1 << 64)
    return struct.pack("<QQ", upper, lower)
