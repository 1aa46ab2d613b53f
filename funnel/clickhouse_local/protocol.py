"""ClickHouse's native protocol on the wire: packets and the primitive values that they consist of.

Only one revision is spoken, the lowest one with typed query parameters: every later field of the
protocol stays out, every earlier one is always there.
Source: https://clickhouse.com/docs/native-protocol/basics and /native-protocol/client.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

REVISION = 54459

SETTING_IS_IMPORTANT = 0x01


class ClientPacket(IntEnum):
    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


class ServerPacket(IntEnum):
    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PROGRESS = 3
    PONG = 4
    END_OF_STREAM = 5
    PROFILE_INFO = 6
    PROFILE_EVENTS = 14


class ErrorCode(IntEnum):
    """The codes of ClickHouse that do not come from the engine but from this front."""

    NO_SUCH_COLUMN_IN_TABLE = 16
    NOT_IMPLEMENTED = 48
    SYNTAX_ERROR = 62
    UNKNOWN_PACKET_FROM_CLIENT = 99
    UNEXPECTED_PACKET_FROM_CLIENT = 101
    UNKNOWN_SETTING = 115
    TOO_LARGE_SIZE_COMPRESSED = 131
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    CHECKSUM_DOESNT_MATCH = 40
    AUTHENTICATION_FAILED = 516


class QueryError(Exception):
    """A statement failed; the conversation goes on. `text` is `DB::Exception: …`, as a server's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Code: {code}. {text}")
        self.code = code
        self.text = text

    @classmethod
    def ours(cls, code: ErrorCode, sentence: str) -> QueryError:
        return cls(code, f"DB::Exception: {sentence} ({code.name})")


class ProtocolError(Exception):
    """The bytes cannot be followed any further; the client is told why and the socket closed."""

    def __init__(
        self, sentence: str, code: ErrorCode = ErrorCode.UNEXPECTED_PACKET_FROM_CLIENT
    ) -> None:
        super().__init__(sentence)
        self.code = code


class Disconnected(Exception):
    """The other side closed the connection in the middle of something."""


class ByteStream:
    """Bytes that arrive in pieces, read forward; they stay in `buffer` until `release`.

    `receive` returns the next piece and nothing at the end; `limit_bytes` bounds what is held.
    """

    def __init__(self, receive: Callable[[], bytes], limit_bytes: int) -> None:
        self.buffer = bytearray()
        self.position = 0
        self.limit_bytes = limit_bytes
        self._receive = receive

    def more(self) -> None:
        piece = self._receive()
        if not piece:
            raise Disconnected
        if len(self.buffer) + len(piece) > self.limit_bytes:
            raise ProtocolError(
                f"a packet is larger than {self.limit_bytes} bytes",
                ErrorCode.TOO_LARGE_SIZE_COMPRESSED,
            )
        self.buffer += piece

    def need(self, count: int) -> None:
        while len(self.buffer) - self.position < count:
            self.more()

    def skip(self, count: int) -> None:
        self.need(count)
        self.position += count

    def take(self, count: int) -> bytes:
        start = self.position
        self.skip(count)
        return bytes(self.buffer[start : self.position])

    def release(self) -> None:
        """Forget what has been read."""
        del self.buffer[: self.position]
        self.position = 0

    def byte(self) -> int:
        self.skip(1)
        return self.buffer[self.position - 1]

    def varint(self) -> int:
        """LEB128, at most 64 bits."""
        value = shift = 0
        while shift < 70:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ProtocolError("a number has more than ten bytes")

    def string(self) -> bytes:
        return self.take(self.varint())

    def text(self) -> str:
        try:
            return self.string().decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("a text is not UTF-8") from error


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def string(value: bytes | str) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return varint(len(encoded)) + encoded


@dataclass(frozen=True, slots=True)
class Hello:
    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Query:
    """`parameters` hold the values as sent: one level of quoting around the engine's text."""

    sql: str
    settings: tuple[Setting, ...]
    parameters: dict[str, str]
    compressed: bool


def read_hello(stream: ByteStream) -> Hello:
    """The client's first packet, after its packet number."""
    stream.string()  # client name
    stream.varint()  # major version
    stream.varint()  # minor version
    return Hello(
        revision=stream.varint(),
        database=stream.text(),
        user=stream.text(),
        password=stream.text(),
    )


def read_query(stream: ByteStream) -> Query:
    """A Query packet, after its packet number."""
    stream.string()  # query id
    skip_client_info(stream)
    settings = read_settings(stream)
    stream.string()  # inter-server secret
    stream.varint()  # stage: always "complete" for a client
    compressed = stream.varint() == 1
    sql = stream.text()
    parameters = {parameter.name: parameter.value for parameter in read_settings(stream)}
    return Query(sql, settings, parameters, compressed)


def skip_client_info(stream: ByteStream) -> None:
    query_kind = stream.byte()
    if query_kind == 0:
        return
    for _ in range(3):  # initial user, query id and address
        stream.string()
    stream.skip(8)  # start time
    interface = stream.byte()
    if interface != 1:
        raise ProtocolError("client information is understood for the TCP interface only")
    for _ in range(3):  # operating system's user, host name, client name
        stream.string()
    for _ in range(3):  # major, minor, revision
        stream.varint()
    stream.string()  # quota key
    stream.varint()  # distributed depth
    stream.varint()  # patch
    if stream.byte():  # OpenTelemetry: trace id, span id, state, flags
        stream.skip(16 + 8)
        stream.string()
        stream.skip(1)
    for _ in range(3):  # parallel replicas
        stream.varint()


def read_settings(stream: ByteStream) -> tuple[Setting, ...]:
    settings = []
    while name := stream.text():
        flags = stream.varint()
        settings.append(Setting(name, stream.text(), bool(flags & SETTING_IS_IMPORTANT)))
    return tuple(settings)


def hello(*, version: tuple[int, int, int], timezone: str, display_name: str) -> bytes:
    major, minor, patch = version
    return b"".join(
        (
            varint(ServerPacket.HELLO),
            string("ClickHouse"),
            varint(major),
            varint(minor),
            varint(REVISION),
            string(timezone),
            string(display_name),
            varint(patch),
        )
    )


def exception(code: int, text: str) -> bytes:
    return b"".join(
        (
            varint(ServerPacket.EXCEPTION),
            struct.pack("<i", code),
            string("DB::Exception"),
            string(text),
            string(""),  # stack trace
            b"\x00",  # no nested exception
        )
    )


def data(block: bytes) -> bytes:
    """`block` is encoded, and compressed where the query asked for it; the table has no name."""
    return varint(ServerPacket.DATA) + string("") + block


def profile_events(block: bytes) -> bytes:
    """What a client waits for after each block that it sends; never compressed."""
    return varint(ServerPacket.PROFILE_EVENTS) + string("") + block


def profile_info(*, rows: int, blocks: int, size_bytes: int) -> bytes:
    return b"".join(
        (
            varint(ServerPacket.PROFILE_INFO),
            varint(rows),
            varint(blocks),
            varint(size_bytes),
            b"\x00",  # no LIMIT known
            varint(0),
            b"\x00",
        )
    )


def progress(*, rows: int, size_bytes: int) -> bytes:
    read = varint(rows) + varint(size_bytes) + varint(0)
    written = varint(0) + varint(0)
    return varint(ServerPacket.PROGRESS) + read + written


PONG = varint(ServerPacket.PONG)
END_OF_STREAM = varint(ServerPacket.END_OF_STREAM)
