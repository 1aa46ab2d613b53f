"""What tests share: a real ClickHouse with the schema, an empty one per test, and a client."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from analytics.observer import observer
from funnel.clickhouse import Clickhouse, ClickhouseSettings, connections
from funnel.metrics import OBSERVED
from funnel.sql import parse_query
from tests.clickhouse_server import LocalServer, make_schema, migrate
from tests.redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]

COUNT_PARTS = parse_query(
    "tests.count_parts",
    """-- How much a test has written.
    SELECT count() AS parts
    FROM system.parts
    WHERE database = currentDatabase()
        AND table != 'schema_migrations'
        -- parts, not rows: a table from which all rows were deleted still remembers its inserts
        AND active
    """,
)


# A file system in memory; what the tests leave there is a few dozen megabytes.
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a directory in it that is its own
MEMORY_BYTES = 1_000_000_000


def pytest_configure() -> None:
    # Before the workers of pytest-xdist start, so that all have the same ones.
    os.environ.setdefault("FUZZ_SEED", str(secrets.randbits(32)))
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        # ClickHouse writes thousands of small files, which on a disk is a tenth of its work.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What has a time limit of its own takes long: it begins first, so that nobody waits for it.
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


@pytest.fixture(scope="session", autouse=True)
def nobody_measures_by_himself() -> None:
    """What watches ClickHouse from a thread of its own would do so between tests too."""
    OBSERVED.unregister(observer)


def pytest_report_header() -> str:
    return f"FUZZ_SEED={os.environ['FUZZ_SEED']}"


def settings_of(url: str) -> ClickhouseSettings:
    parts = urlsplit(url)
    secure = parts.scheme == "clickhouses"
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or (9440 if secure else 9000),
        "secure": secure,
        "user": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "database": "",
        "connect_seconds": 5,
        "query_seconds": 20,
        "readonly": False,
    }


@pytest.fixture(scope="session")
def local_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer | None]:
    """The embedded ClickHouse, unless TEST_CLICKHOUSE_URL names a server that runs."""
    if os.environ.get("TEST_CLICKHOUSE_URL"):
        yield None
        return
    server = LocalServer(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def clickhouse_server(local_server: LocalServer | None) -> ClickhouseSettings:
    """How to reach the server; no database is named."""
    if local_server:
        return local_server.settings()
    return settings_of(os.environ["TEST_CLICKHOUSE_URL"])


@pytest.fixture(scope="session")
def migrated_clickhouse(
    local_server: LocalServer | None, clickhouse_server: ClickhouseSettings
) -> Iterator[None]:
    """Both aliases of settings.CLICKHOUSE, with a database of its own that has the schema.

    In the embedded ClickHouse from schema.sql, which is in its words.
    """
    database = f"funnel_tests_{os.getpid()}"
    for alias, readonly in (("default", False), ("reader", True)):
        settings.CLICKHOUSE[alias].update(clickhouse_server, database=database, readonly=readonly)
    connections.doors.clear()
    of: ClickhouseSettings = {**clickhouse_server, "database": database}
    if local_server:
        make_schema(of)
    else:
        migrate(of)
    yield
    with contextlib.closing(Clickhouse(clickhouse_server)) as door:
        door.command(f"DROP DATABASE {database} SYNC")
    for door in connections.doors.values():
        door.close()


@pytest.fixture
def clickhouse(local_server: LocalServer | None, migrated_clickhouse: None) -> Clickhouse:
    """The writer's door to a database in which every table is empty."""
    if local_server:
        local_server.assert_alive()
    empty_every_table(connections["default"])
    return connections["default"]


def empty_every_table(door: Clickhouse) -> None:
    if door.select(COUNT_PARTS, {})[0]["parts"]:
        database = door.settings["database"]
        door.command(f"TRUNCATE ALL TABLES FROM {database} NOT LIKE 'schema_migrations'")


@pytest.fixture
def api() -> APIClient:
    return APIClient()
