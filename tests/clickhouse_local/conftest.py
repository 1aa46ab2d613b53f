"""A real clickhouse_local in a process of its own, asked by clickhouse-driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse"
START_SECONDS = 30
STOP_SECONDS = 30


def launch(*arguments: str, log: Path, password: str = PASSWORD) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "tests",
        "DATABASE_URL": "sqlite://:memory:",
        "CLICKHOUSE_URL": "clickhouse://127.0.0.1",
        "CLICKHOUSE_USER": "default",
        "CLICKHOUSE_PASSWORD": password,
        "CLICKHOUSE_READER_USER": "",
        "CLICKHOUSE_READER_PASSWORD": "",
        "LOG_LEVEL": "INFO",
        "LOG_JSON": "true",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "clickhouse_local", *arguments]
    with log.open("wb") as stream:
        return subprocess.Popen(command, stderr=stream, env=environment)


@dataclass
class LocalServer:
    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log_lines("clickhouse_local_ready"):
                self.port = int(line["address"].rpartition(":")[2])
                return
            time.sleep(0.02)
        pytest.fail(f"clickhouse_local is not ready:\n{self.log.read_text()}")

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        whole_lines = self.log.read_text().split("\n")[:-1]
        lines = [json.loads(line) for line in whole_lines if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def client(self, **options: Any) -> Client:
        settings = {"server_side_params": True, **options.pop("settings", {})}
        options = {"password": PASSWORD, "connect_timeout": 10, **options}
        return Client("127.0.0.1", self.port, settings=settings, **options)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running(path: Path) -> Iterator[LocalServer]:
    log = path.with_suffix(".log")
    server = LocalServer(launch("--path", str(path), "--port", "0", log=log), log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(STOP_SECONDS)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with running(tmp_path_factory.mktemp("clickhouse_local") / "data") as local:
        yield local
        assert local.end(signal.SIGTERM) == 0
        assert local.log_lines("conversation_failed") == []


@pytest.fixture
def database(server: LocalServer) -> Iterator[str]:
    with server.client() as client:
        client.execute("CREATE DATABASE test")
        yield "test"
        client.execute("DROP DATABASE test SYNC")


@pytest.fixture
def client(server: LocalServer, database: str) -> Iterator[Client]:
    with server.client(database=database) as client:
        yield client
