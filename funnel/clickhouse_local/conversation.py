"""One client from hello to goodbye: queries answered one after the other, inserts stored."""

from __future__ import annotations

import hmac
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from threading import Lock

import structlog

from . import native, protocol
from .compression import compress, read_frame
from .engine import Engine, Session
from .protocol import (
    ByteStream,
    ClientPacket,
    Disconnected,
    ErrorCode,
    ProtocolError,
    Query,
    QueryError,
)
from .statements import Insert, parameter_text, parse_insert
from .watchdog import Watchdog

log = structlog.get_logger()

HELLO_SECONDS = 10
# In the middle of a packet or of an INSERT, whose rows may come from a slow source.
RECEIVE_SECONDS = 300
# For one block of a result: a reader that is stuck must not hold the engine's memory.
SEND_SECONDS = 60

LINGER_SECONDS = 1

RECEIVE_BYTES = 256 * 1024
HELLO_LIMIT_BYTES = 64 * 1024
# Of one packet, and of all blocks of one INSERT, which wait in memory until the last has come.
INSERT_LIMIT_BYTES = 512 * 1024 * 1024

NO_EVENTS = native.encode_block(native.EMPTY_BLOCK, for_client=True)


class Conversation:
    """`accounts` are the passwords by user."""

    def __init__(
        self,
        client: socket.socket,
        *,
        engine: Engine,
        watchdog: Watchdog,
        accounts: Mapping[str, str],
    ) -> None:
        self._client = client
        self._engine = engine
        self._watchdog = watchdog
        self._accounts = accounts
        self._stream = ByteStream(self._receive, HELLO_LIMIT_BYTES)
        self._patience_seconds: float | None = HELLO_SECONDS
        self._unsent: list[bytes] = []
        self._closing = False
        self._busy = True
        self._busy_lock = Lock()

    def run(self) -> None:
        try:
            with self._client:
                session = self._greet()
                if session is None:
                    return
                try:
                    self._stream.limit_bytes = INSERT_LIMIT_BYTES
                    self._serve(session)
                finally:
                    session.close()
        except (Disconnected, OSError) as error:
            log.debug("client_left", reason=type(error).__name__)

    def refuse(self, code: ErrorCode, sentence: str) -> None:
        """Answer whatever the client says first with an error, and end."""
        with suppress(OSError), self._client:
            self._fail(QueryError.ours(code, sentence))
            self._linger()

    def end(self) -> None:
        """Leave after the query that is running, if any. Called by another thread."""
        with self._busy_lock:
            self._closing = True
            if not self._busy:
                self.cut()

    def cut(self) -> None:
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    # --- hello ------------------------------------------------------------------------------------

    def _greet(self) -> Session | None:
        try:
            if self._stream.varint() != ClientPacket.HELLO:
                raise ProtocolError("this port speaks ClickHouse's native protocol only")
            hello = protocol.read_hello(self._stream)
            if hello.revision < protocol.REVISION:
                raise ProtocolError(
                    f"clients must speak revision {protocol.REVISION} or later",
                    ErrorCode.NOT_IMPLEMENTED,
                )
        except ProtocolError as error:
            self._fail(QueryError.ours(error.code, str(error)))
            self._linger()
            return None

        expected = self._accounts.get(hello.user)
        # Compared in any case, so that time does not tell whether the user exists.
        right = hmac.compare_digest((expected or "").encode(), hello.password.encode())
        if expected is None or not right:
            log.warning("login_refused", user=hello.user[:100])
            self._fail(
                QueryError.ours(
                    ErrorCode.AUTHENTICATION_FAILED,
                    f"{hello.user}: Authentication failed: password is incorrect, or there is no"
                    " user with such name.",
                )
            )
            return None

        try:
            session = self._engine.session(hello.database)
        except QueryError as error:
            self._fail(error)
            return None
        major, minor, patch = map(int, self._engine.version.split(".")[:3])
        self._send(
            protocol.hello(
                version=(major, minor, patch),
                timezone=self._engine.timezone,
                display_name="clickhouse_local",
            )
        )
        self._flush()
        self._stream.string()  # the addendum: quota key
        return session

    # --- packets ----------------------------------------------------------------------------------

    def _serve(self, session: Session) -> None:
        while True:
            self._stream.release()
            with self._busy_lock:
                if self._closing:
                    return
                self._busy = False
            self._patience_seconds = None
            try:
                packet = self._stream.varint()
            finally:
                with self._busy_lock:
                    self._busy = True
            self._patience_seconds = RECEIVE_SECONDS
            try:
                self._answer(packet, session)
            except ProtocolError as error:
                log.warning("packet_refused", reason=str(error))
                self._fail(QueryError.ours(error.code, str(error)))
                self._linger()
                return

    def _answer(self, packet: int, session: Session) -> None:
        if packet == ClientPacket.PING:
            self._send(protocol.PONG)
            self._flush()
        elif packet == ClientPacket.QUERY:
            query = protocol.read_query(self._stream)
            self._read_end_of_tables(query)
            try:
                self._run_query(query, session)
            except QueryError as error:
                log.info("query_failed", code=error.code)
                self._fail(error)
        elif packet != ClientPacket.CANCEL:  # a Cancel that comes too late means nothing
            raise ProtocolError(f"unknown packet {packet}", ErrorCode.UNKNOWN_PACKET_FROM_CLIENT)

    def _read_end_of_tables(self, query: Query) -> None:
        block = self._read_block(query)
        if block.columns:
            raise ProtocolError("external tables are not served", ErrorCode.NOT_IMPLEMENTED)

    def _run_query(self, query: Query, session: Session) -> None:
        session.apply_settings(self._known_settings(query))
        parameters = {name: parameter_text(value) for name, value in query.parameters.items()}
        insert = parse_insert(query.sql)
        if insert is not None:
            self._store(query, insert, parameters, session)
        else:
            self._respond(query, parameters, session)

    def _known_settings(self, query: Query) -> dict[str, str]:
        """As a server: unknown ones are dropped unless the client says that they matter."""
        known = {}
        for setting in query.settings:
            if setting.name in self._engine.setting_names:
                known[setting.name] = setting.value
            elif setting.important:
                raise QueryError.ours(
                    ErrorCode.UNKNOWN_SETTING, f"Unknown setting '{setting.name}'"
                )
        return known

    # --- results ----------------------------------------------------------------------------------

    def _respond(self, query: Query, parameters: Mapping[str, str], session: Session) -> None:
        rows = blocks = size_bytes = 0
        kill = partial(self._engine.kill_query_of, session.number)
        with (
            self._watchdog.watching(self._client, kill) as running,
            closing(session.read(query.sql, parameters)) as pieces,
        ):
            try:
                for piece in pieces:
                    for block in native.engine_blocks(piece):
                        if blocks == 0:
                            self._send_block(query, block.header)
                        if block.rows:
                            self._send_block(query, block)
                        blocks += 1
                        rows += block.rows
                    size_bytes += len(piece)
                    # The next piece may take its time.
                    self._flush()
            except QueryError:
                if not running.abandoned:
                    raise
        self._send(protocol.profile_info(rows=rows, blocks=blocks, size_bytes=size_bytes))
        self._send(protocol.progress(rows=rows, size_bytes=size_bytes))
        self._send(protocol.END_OF_STREAM)
        self._flush()

    def _send_block(self, query: Query, block: native.Block) -> None:
        encoded = native.encode_block(block, for_client=True)
        self._send(protocol.data(compress(encoded) if query.compressed else encoded))

    # --- inserts ----------------------------------------------------------------------------------

    def _store(
        self, query: Query, insert: Insert, parameters: Mapping[str, str], session: Session
    ) -> None:
        """Nothing reaches the engine before the client has said that all blocks are sent."""
        self._send_block(query, session.insert_columns(insert, parameters))
        self._flush()
        # In memory: the engine reads it as a file, and it is gone with the process.
        with os.fdopen(os.memfd_create("insert"), "w+b") as blocks:
            rows = 0
            for block in self._sent_blocks(query):
                blocks.write(native.encode_block(block, for_client=False))
                rows += block.rows
                if blocks.tell() > INSERT_LIMIT_BYTES:
                    raise ProtocolError(
                        f"an INSERT is larger than {INSERT_LIMIT_BYTES} bytes",
                        ErrorCode.TOO_LARGE_SIZE_COMPRESSED,
                    )
            if rows:
                blocks.flush()
                session.insert(insert, blocks.fileno(), parameters)
        self._send(protocol.END_OF_STREAM)
        self._flush()

    def _sent_blocks(self, query: Query) -> Iterator[native.Block]:
        """The client's blocks up to the empty one, each acknowledged."""
        while True:
            block = self._read_block(query)
            self._stream.release()
            self._send(protocol.profile_events(NO_EVENTS))
            self._flush()
            if not block.columns:
                return
            yield block

    def _read_block(self, query: Query) -> native.Block:
        if (packet := self._stream.varint()) != ClientPacket.DATA:
            raise ProtocolError(f"packet {packet} where a block was expected")
        self._stream.string()  # table name
        stream = self._stream
        if query.compressed:
            stream = ByteStream(lambda: read_frame(self._stream), INSERT_LIMIT_BYTES)
        try:
            return native.read_block(stream, from_client=True)
        except native.UnsupportedType as error:
            raise ProtocolError(str(error), ErrorCode.NOT_IMPLEMENTED) from error

    # --- bytes ------------------------------------------------------------------------------------

    def _receive(self) -> bytes:
        self._client.settimeout(self._patience_seconds)
        return self._client.recv(RECEIVE_BYTES)

    def _send(self, packet: bytes) -> None:
        """Leaves with the next flush, so that small packets travel together."""
        self._unsent.append(packet)

    def _flush(self) -> None:
        unsent = b"".join(self._unsent)
        self._unsent.clear()
        self._client.settimeout(SEND_SECONDS)
        self._client.sendall(unsent)

    def _fail(self, error: QueryError) -> None:
        self._send(protocol.exception(error.code, error.text))
        self._flush()

    def _linger(self) -> None:
        # Closing with bytes unread would reset the connection and take our last words with it.
        self._client.shutdown(socket.SHUT_WR)
        self._patience_seconds = LINGER_SECONDS
        deadline = time.monotonic() + LINGER_SECONDS
        while time.monotonic() < deadline and self._receive():
            pass
