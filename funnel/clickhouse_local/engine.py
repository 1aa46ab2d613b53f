"""The engine in this process (chDB): one connection per client, its settings, its errors.

chdb is imported when an Engine is made and not before: a process that has loaded it must not fork.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from cachetools import LRUCache

from . import native
from .protocol import ErrorCode, QueryError
from .statements import Insert, Tokens, changes_definitions, literal

# A setting without effect on one node: it marks the queries of a session, for KILL QUERY.
SESSION_MARK = "distributed_replica_max_ignored_errors"

# Where the embedded engine differs from a server; and JSON as text, which every client reads.
PROFILE = {
    "implicit_select": "0",
    "allow_introspection_functions": "0",
    "output_format_native_write_json_as_string": "1",
}

ENGINE_OPTIONS = {
    # The machine is shared with the processes that ask: leave them half of it.
    "max_server_memory_usage_to_ram_ratio": "0.5",
    "mark_cache_size": str(256 * 1024 * 1024),
    "background_pool_size": "4",
    # Refreshable views and TTLs run here; a server's 512 threads are for thousands of tables.
    "background_schedule_pool_size": "16",
}

# A service asks the same texts again and again, and parsing a long one costs milliseconds, finding
# the columns of its result nearly as much as the result.
KEPT_TEXTS = 128

ERROR = re.compile(r"Code: (\d+)\. (.*)", re.DOTALL)
UNKNOWN_EXCEPTION = 1002


class EngineError(QueryError):
    """The engine refused or failed; code and text are ClickHouse's own."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """chDB raises bare RuntimeErrors and Exceptions; the code stands in their text."""
    try:
        yield
    except Exception as error:
        found = ERROR.search(str(error))
        if found is None:
            raise EngineError(UNKNOWN_EXCEPTION, f"DB::Exception: {error}") from error
        raise EngineError(int(found[1]), found[2].strip()) from error


class Engine:
    """The one engine of this process, on one data directory.

    backups: the directory into which BACKUP may write; without one it may nowhere.
    """

    def __init__(self, path: Path, *, backups: Path | None = None) -> None:
        self._chdb: Any = import_module("chdb._chdb")
        self._session_numbers = count(1)
        self._kill_lock = Lock()
        # Another one after each statement that may have changed the columns of a table.
        self.definitions = object()
        # Signals belong to the command that runs the server.
        self._chdb.set_signal_handlers_enabled(0)
        wanted = dict(ENGINE_OPTIONS)
        if backups:
            wanted["backups.allowed_path"] = str(backups)
        options = "&".join(f"{name}={quote(value)}" for name, value in wanted.items())
        self._location = str(path)
        with engine_errors():
            # The first connection configures the engine and keeps it alive.
            self._control = self._chdb.connect(f"{self._location}?{options}")
        facts = json.loads(
            self._ask("SELECT version() AS version, timezone() AS timezone", "JSONEachRow")
        )
        self.version: str = facts["version"]
        self.timezone: str = facts["timezone"]
        names = self._ask("SELECT name FROM system.settings", "TSV").decode().split()
        self.setting_names = frozenset(names) - {SESSION_MARK}

    def session(self, database: str) -> Session:
        """A connection that uses `database`, '' for the default one.

        Raises EngineError, UNKNOWN_DATABASE (81) among others.
        """
        session = Session(self, next(self._session_numbers))
        try:
            if database:
                session.use(database)
        except EngineError:
            session.close()
            raise
        return session

    def connect(self) -> Any:
        with engine_errors():
            return self._chdb.connect(self._location)

    def kill_query_of(self, session_number: int) -> None:
        """Ask for the end of whatever the session is running; nothing when it runs nothing."""
        with self._kill_lock:
            self._ask(
                f"KILL QUERY WHERE Settings['{SESSION_MARK}'] = '{session_number}' ASYNC", "TSV"
            )

    def close(self) -> None:
        self._control.close()

    def _ask(self, sql: str, output_format: str) -> bytes:
        with engine_errors():
            return bytes(self._control.query(sql, output_format, params={}).bytes())


class Session:
    """One client's connection to the engine; used by one thread at a time."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.number = number
        self._engine = engine
        # What settings return to after a query: our profile, then the client's own SETs.
        self._base = dict(PROFILE)
        self._applied: dict[str, str] = {}
        self._kind_of = lru_cache(KEPT_TEXTS)(self._classify)
        self._columns: LRUCache[tuple[Any, ...], bytes] = LRUCache(KEPT_TEXTS)
        self._connection = engine.connect()
        self._set(self._base | {SESSION_MARK: str(number)})

    def close(self) -> None:
        self._connection.close()

    def use(self, database: str) -> None:
        self._ask(f"USE {quoted_identifier(database)}")

    def apply_settings(self, wanted: Mapping[str, str]) -> None:
        """Make `wanted`, of known names, the settings of the next query and undo the last one's."""
        wanted = dict(wanted)
        if wanted == self._applied:
            return
        # Only `readonly = 2` lets other settings change, and nothing takes it back.
        readonly = self._applied.get("readonly", "0")
        if readonly != "0" and (readonly != "2" or wanted.get("readonly") != readonly):
            self._reopen()
        changes = {
            name: value for name, value in wanted.items() if self._applied.get(name) != value
        }
        undone = {name: self._base.get(name) for name in self._applied if name not in wanted}
        try:
            self._set(undone | changes)
        except EngineError:
            self._reopen()
            raise
        self._applied = wanted

    def read(self, sql: str, parameters: Mapping[str, str]) -> Generator[bytes, None, None]:
        """The result of any statement in Native format, piece by piece and in constant memory where
        the engine can. A SELECT without rows gives one block without rows.
        """
        kind = self._kind_of(sql)
        if kind == "READ_ONLY":
            empty = True
            for content in self._stream(sql, parameters):
                empty = False
                yield content
            if empty:
                yield self._columns_of_result(sql, parameters)
        else:
            try:
                content = self._ask(sql, "Native", parameters)
            finally:
                if changes_definitions(sql):
                    self._engine.definitions = object()
            if content:
                yield content
            if kind == "CONTROL" and Tokens(sql).text.upper() == "SET":
                self._remember_settings()

    def insert_columns(self, insert: Insert, parameters: Mapping[str, str]) -> native.Block:
        """What the blocks of an INSERT must look like, as a block without rows."""
        described = self._describe(f"DESCRIBE TABLE {insert.table}", parameters)
        types = {name: insert_type(type_name) for name, type_name, _ in described}
        columns = insert.columns or [
            name
            for name, _, default_kind in described
            if default_kind not in {"MATERIALIZED", "ALIAS", "EPHEMERAL"}
        ]
        for column in columns:
            if column not in types:
                raise QueryError.ours(
                    ErrorCode.NO_SUCH_COLUMN_IN_TABLE,
                    f"No such column {column} in table {insert.table}",
                )
            native.check_insertable(types[column])
        return native.block_without_rows((column, types[column]) for column in columns)

    def insert(self, insert: Insert, descriptor: int, parameters: Mapping[str, str]) -> None:
        """Insert the Native blocks in an open file; returns when the engine has committed them.

        From a file, because chDB's own streaming insert reports success for rows that a constraint
        or a materialized view has refused.
        """
        self._ask(
            f"INSERT INTO {insert.table} {insert.column_list}"
            f" FROM INFILE '/proc/self/fd/{descriptor}' {insert.settings} FORMAT Native",
            "TSV",
            parameters,
        )

    def _classify(self, sql: str) -> str:
        with engine_errors():
            found = self._connection.classify_query(sql)
        if found["statement_count"] > 1:
            raise QueryError.ours(
                ErrorCode.SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed"
            )
        if found["statement_count"] == 0:
            # The engine would run the good statements before the one that it cannot parse.
            self._ask(f"EXPLAIN AST {sql}")
            raise QueryError.ours(ErrorCode.SYNTAX_ERROR, "Syntax error")
        return str(found["query_class"].name)

    def _stream(self, sql: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        with engine_errors():
            try:
                result = self._connection.send_query(sql, "Native", params=dict(parameters))
            except Exception as error:
                if "Streaming query is not supported" not in str(error):
                    raise
                result = None
        if result is None:  # SHOW, EXPLAIN, EXISTS, DESCRIBE
            if content := self._ask(sql, "Native", parameters):
                yield content
            return
        finished = False
        try:
            while True:
                with engine_errors():
                    piece = self._connection.streaming_fetch_result(result)
                    content = bytes(piece.bytes()) if piece is not None else b""
                if not content:
                    finished = True
                    return
                yield content
        finally:
            if not finished:
                with engine_errors():
                    self._connection.streaming_cancel_query(result)

    def _ask(
        self, sql: str, output_format: str = "TSV", parameters: Mapping[str, str] | None = None
    ) -> bytes:
        with engine_errors():
            result = self._connection.query(sql, output_format, params=dict(parameters or {}))
            return bytes(result.bytes())

    def _columns_of_result(self, sql: str, parameters: Mapping[str, str]) -> bytes:
        # An empty result has no bytes at all. SHOW and its like do not tell.
        settings = {name: of for name, of in self._applied.items() if name != "log_comment"}
        # Of a parameter's values only names of tables and columns decide the types.
        named = parameters if "Identifier" in sql else {}
        key = (self._engine.definitions, sql, *sorted(settings.items()), *sorted(named.items()))
        if key in self._columns:
            return self._columns[key]
        try:
            described = self._describe(f"DESCRIBE ({sql.strip().rstrip(';')}\n)", parameters)
        except EngineError:
            return native.encode_block(native.EMPTY_BLOCK, for_client=False)
        block = native.block_without_rows((name, type_name) for name, type_name, _ in described)
        self._columns[key] = native.encode_block(block, for_client=False)
        return self._columns[key]

    def _describe(self, sql: str, parameters: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """Name, type and kind of default of each column."""
        lines = self._ask(sql, "JSONCompactEachRow", parameters).splitlines()
        return [
            (name, type_name, default_kind)
            for name, type_name, default_kind, *_ in map(json.loads, lines)
        ]

    def _set(self, settings: Mapping[str, str | None]) -> None:
        """None: the engine's default."""
        if settings:
            self._ask(
                "SET "
                + ", ".join(
                    f"{name} = {'DEFAULT' if value is None else literal(value)}"
                    for name, value in settings.items()
                )
            )

    def _remember_settings(self) -> None:
        changed = self._ask(
            "SELECT name, value FROM system.settings WHERE changed", "JSONCompactEachRow"
        )
        settings = dict(json.loads(line) for line in changed.splitlines())
        self._base = {
            name: value
            for name, value in settings.items()
            if name not in self._applied and name not in {"database", SESSION_MARK}
        }

    def _reopen(self) -> None:
        database = json.loads(self._ask("SELECT currentDatabase() AS d", "JSONEachRow"))["d"]
        self._connection.close()
        self._applied = {}
        self._connection = self._engine.connect()
        self._set(self._base | {SESSION_MARK: str(self.number)})
        self.use(database)


def insert_type(type_name: str) -> str:
    """The type that a client is asked for: JSON as text, which the engine parses."""
    return "String" if type_name == "JSON" or type_name.startswith("JSON(") else type_name


def quoted_identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
