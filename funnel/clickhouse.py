"""The one door to ClickHouse: a connection per thread, typed parameters, query tags, its errors."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NotRequired, TypedDict, cast

import clickhouse_driver
import orjson
import structlog
from clickhouse_driver import errors as driver_errors
from django.conf import settings
from django.utils.connection import ConnectionProxy
from prometheus_client import Counter, Histogram

from funnel.parameter_text import written
from funnel.query_limits import limits
from funnel.sql import Query

log = structlog.get_logger(__name__)

# How long the socket waits beyond the server's own limit, so that the server's answer comes first.
ANSWER_MARGIN_SECONDS = 5
# Parameters are constants to the engine, and `now` is another one each second: what it compiles to
# machine code after the third use, for 40 ms, is not used for long. And the steps of a plan are not
# put together into one: it takes longer than so few rows do in several steps, for each materialized
# view of an insert a quarter of what its planning takes. Keys are looked for in a primary index by
# halves and not by eighths, which takes fewer comparisons for a key.
WHOEVER_ASKS = {
    "compile_expressions": 0,
    "query_plan_merge_expressions": 0,
    "merge_tree_coarse_index_granularity": 2,
}
# No public page is near it: a question that forgot its LIMIT fails instead of filling the memory.
MAX_RESULT_ROWS = 10_000
DEFAULT_MEMORY_MB = 2_048
# Names are our own constants; this keeps it so.
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

QUERY_SECONDS = Histogram(
    "clickhouse_query_duration_seconds",
    "Time of a statement by the writer, decoding included.",
    ["query"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
API_QUERY_SECONDS = Histogram(
    "api_clickhouse_query_duration_seconds",
    "Time of a question by the API, decoding included; endpoint is the route that asked it.",
    ["endpoint", "query"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
FAILURES = Counter("clickhouse_failures_total", "Statements that failed.", ["query", "error"])


class ClickhouseError(Exception):
    """ClickHouse did not do what it was asked.

    code: ClickHouse's error code, or the driver's for what happened on the way. The server's words
    may quote data, so they are never part of `str()`; `__cause__` has them for the log.
    """

    sentence: ClassVar[str] = "ClickHouse failed"

    def __init__(self, code: int = 0) -> None:
        super().__init__(f"{self.sentence} (code {code}).")
        self.code = code


class ClickhouseUnavailable(ClickhouseError):
    """It cannot be reached, or went away before it had answered."""

    sentence = "ClickHouse is not available"


class ClickhouseTimeout(ClickhouseError):
    """It took longer than it may; whether a write happened is unknown."""

    sentence = "ClickHouse took too long"


class ClickhouseOverloaded(ClickhouseError):
    """It has no room for this now: queries, memory, parts, disk."""

    sentence = "ClickHouse is overloaded"


class ClickhouseReadonly(ClickhouseError):
    """This connection, or the table at the moment, may not be written to."""

    sentence = "ClickHouse is read-only here"


class ClickhouseRefused(ClickhouseError):
    """It refused the data or a parameter for their content; sending the same again is no use."""

    sentence = "ClickHouse refused the data"


# Codes as in ClickHouse's src/Common/ErrorCodes.cpp; what is not here is a plain ClickhouseError.
ERRORS: dict[type[ClickhouseError], tuple[int, ...]] = {
    ClickhouseUnavailable: (
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        100,  # UNKNOWN_PACKET_FROM_CLIENT and its kin: the other side speaks something else
        101,  # UNEXPECTED_PACKET_FROM_CLIENT
        102,  # UNEXPECTED_PACKET_FROM_SERVER
        198,  # DNS_ERROR
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        279,  # ALL_CONNECTION_TRIES_FAILED
        394,  # QUERY_WAS_CANCELLED, as by a server that shuts down
        999,  # KEEPER_EXCEPTION
    ),
    ClickhouseTimeout: (
        159,  # TIMEOUT_EXCEEDED
        160,  # TOO_SLOW
        209,  # SOCKET_TIMEOUT
    ),
    ClickhouseOverloaded: (
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        241,  # MEMORY_LIMIT_EXCEEDED
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        439,  # CANNOT_SCHEDULE_TASK
        745,  # SERVER_OVERLOADED
    ),
    ClickhouseReadonly: (
        164,  # READONLY
        242,  # TABLE_IS_READ_ONLY
    ),
    ClickhouseRefused: (
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        457,  # BAD_QUERY_PARAMETER
        469,  # VIOLATED_CONSTRAINT
    ),
}
ERROR_BY_CODE = {code: error for error, codes in ERRORS.items() for code in codes}

# All that the driver raises. The last three are for a value that it cannot write: which of them
# depends on the column's type.
FAILED = (driver_errors.Error, OSError, EOFError, AttributeError, TypeError, ValueError)


class ClickhouseSettings(TypedDict):
    """One alias of settings.CLICKHOUSE. An empty `database` is the server's default."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    database: str
    connect_seconds: float
    query_seconds: float
    # Of one question; only where `readonly`.
    memory_mb: NotRequired[int]
    readonly: bool


class Clickhouse:
    """One connection, opened when it is first needed. For one thread at a time.

    Every method raises ClickhouseError or one of its subclasses.
    """

    def __init__(self, settings: ClickhouseSettings) -> None:
        self.settings = settings
        self._client: clickhouse_driver.Client | None = None
        self._pid = 0

    def select(self, query: Query, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of the answer by column name. Asked once more when the connection was cut."""
        rows, columns = self._run(
            query.text, query.bind(params), name=query.name, settings={}, repeatable=True
        )
        names = [column[0] for column in columns]
        return [dict(zip(names, row, strict=False)) for row in rows]

    def execute(self, query: Query, params: Mapping[str, Any]) -> None:
        """Runs a statement that changes something, such as INSERT … SELECT. Never sent twice."""
        self._run(query.text, query.bind(params), name=query.name, settings={}, repeatable=False)

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        *,
        deduplication_token: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> int:
        """Writes rows, values in the order of `columns`, as one block; returns their number.

        Never sent twice. deduplication_token: an insert with the token of an earlier one changes
        nothing, in the table and in those that its materialized views fill, as far as each one's
        `non_replicated_deduplication_window` reaches back (ClickHouse, "Deduplicating inserts").
        """
        for name in (table, *columns):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a table or column.")
        if not rows:
            return 0
        # A server's default may be 1, which gathers inserts and so does without their tokens.
        defaults: dict[str, Any] = {"async_insert": 0}
        if deduplication_token:
            defaults |= {
                "insert_deduplication_token": deduplication_token,
                # Servers before 26 have 0, with which a repeated insert counts twice in the views.
                "deduplicate_blocks_in_dependent_materialized_views": 1,
            }
        self._run(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES",
            list(rows),
            name=f"insert.{table}",
            settings=defaults | dict(settings or {}),
            repeatable=False,
        )
        return len(rows)

    def command(self, sql: str) -> None:
        """Runs a statement without a name, such as one of a migration. Never sent twice."""
        self._run(sql, {}, name="command", settings={}, repeatable=False)

    def close(self) -> None:
        """Gives the connection back; the next statement opens another one."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._pid == os.getpid():
            client.disconnect()
        elif client.connection.socket is not None:
            # The parent still talks on this connection: shutdown() would end it for both.
            client.connection.socket.close()

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # A thread that ends drops its door. At the end of the process the names that closing needs
        # are gone, and the system closes the socket.
        if not is_finalizing():
            self.close()

    def _run(
        self,
        sql: str,
        payload: dict[str, Any] | list[tuple[Any, ...]],
        *,
        name: str,
        settings: Mapping[str, Any],
        repeatable: bool,
    ) -> Any:
        # In system.query_log afterwards: which request or batch this was for.
        of = structlog.contextvars.get_contextvars()
        asker = {key: of[key] for key in ("request_id", "endpoint") if of.get(key)}
        tagged = {"log_comment": orjson.dumps({"query": name, **asker}).decode(), **settings}
        if self.settings["readonly"]:
            tagged |= limits(
                asker.get("endpoint", ""),
                seconds=self.settings["query_seconds"],
                memory_mb=self.settings.get("memory_mb", DEFAULT_MEMORY_MB),
            )
        seconds = (
            API_QUERY_SECONDS.labels(endpoint=asker.get("endpoint", ""), query=name)
            if self.settings["readonly"]
            else QUERY_SECONDS.labels(query=name)
        )
        with seconds.time():
            try:
                return self._send_on_a_live_connection(sql, payload, tagged, repeatable=repeatable)
            except FAILED as error:
                failure = translated(error)
                FAILURES.labels(query=name, error=type(failure).__name__).inc()
                raise failure from error

    def _send_on_a_live_connection(
        self, sql: str, payload: Any, settings: Mapping[str, Any], *, repeatable: bool
    ) -> Any:
        if self._pid != os.getpid():
            self.close()
        reused = self._client is not None
        try:
            return self._send(sql, payload, settings)
        except (driver_errors.NetworkError, EOFError, ConnectionError) as error:
            # The driver raises its own NetworkError from the ping before it sends anything.
            unsent = isinstance(error, driver_errors.NetworkError)
            if not reused or not (repeatable or unsent):
                raise
        log.info("clickhouse_connection_replaced")
        return self._send(sql, payload, settings)

    def _send(self, sql: str, payload: Any, settings: Mapping[str, Any]) -> Any:
        try:
            if self._client is None:
                self._client = self._open()
            sent = written(payload) if isinstance(payload, dict) else payload
            return self._client.execute(sql, sent, with_column_types=True, settings=settings)
        except BaseException:
            # The rest of an answer may still be on its way, also when a signal broke in.
            self.close()
            raise

    def _open(self) -> clickhouse_driver.Client:
        self._pid = os.getpid()
        of = self.settings
        limits: dict[str, Any] = {"max_execution_time": of["query_seconds"]}
        if of["readonly"]:
            # 2 and not 1, which would refuse the other settings of each query.
            limits |= {"readonly": 2, "max_result_rows": MAX_RESULT_ROWS}
        client = clickhouse_driver.Client(
            host=of["host"],
            port=of["port"],
            secure=of["secure"],
            user=of["user"],
            password=of["password"],
            database=of["database"],
            client_name="funnel",
            connect_timeout=of["connect_seconds"],
            # The limit of the handshake too: a host that accepts and says nothing is down.
            send_receive_timeout=of["connect_seconds"],
            sync_request_timeout=of["connect_seconds"],
            # It reconnects by itself otherwise, with the handshake's limit for every answer.
            disable_reconnect=True,
            settings={"server_side_params": True, **WHOEVER_ASKS, **limits},
        )
        try:
            client.connection.connect()
        except BaseException:
            client.disconnect()
            raise
        client.connection.socket.settimeout(of["query_seconds"] + ANSWER_MARGIN_SECONDS)
        return client


def translated(error: Exception) -> ClickhouseError:
    """What the driver raised, as one of the exceptions that this module promises."""
    match error:
        case driver_errors.NetworkError() | driver_errors.SocketTimeoutError():
            return ClickhouseUnavailable(error.code)
        case driver_errors.Error():
            code = error.code or 0
            return ERROR_BY_CODE.get(code, ClickhouseError)(code)
        case TimeoutError():
            return ClickhouseTimeout(driver_errors.ErrorCodes.SOCKET_TIMEOUT)
        case OSError() | EOFError():
            return ClickhouseUnavailable(driver_errors.ErrorCodes.NETWORK_ERROR)
        case _:
            return ClickhouseRefused(driver_errors.ErrorCodes.TYPE_MISMATCH)


class ClickhouseConnections(threading.local):
    """`connections[alias]`: this thread's own door to that alias of settings.CLICKHOUSE."""

    def __init__(self) -> None:
        self.doors: dict[str, Clickhouse] = {}

    def __getitem__(self, alias: str) -> Clickhouse:
        if alias not in self.doors:
            self.doors[alias] = Clickhouse(cast(ClickhouseSettings, settings.CLICKHOUSE[alias]))
        return self.doors[alias]


connections = ClickhouseConnections()
# The writer. The API asks connections["reader"], which cannot write.
clickhouse = cast(Clickhouse, ConnectionProxy(cast(Any, connections), "default"))
