"""A real ClickHouse for the tests: `manage.py clickhouse_local` as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from clickhouse_schema.migrator import MIGRATIONS, Migrator, read_migrations
from funnel.clickhouse import ClickhouseSettings

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 10
PASSWORD = "of the tests"


class LocalServer:
    """Owns `directory`. Listens on a free port of 127.0.0.1, the same one after each start()."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.backups = directory / "backups"
        self.log = directory / "clickhouse_local.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")
        }
        environment |= {
            "DJANGO_SETTINGS_MODULE": "funnel.settings",
            "SECRET_KEY": "tests",
            "LOG_JSON": "true",
            "LOG_LEVEL": "INFO",
            "CLICKHOUSE_URL": "clickhouse://default@127.0.0.1",
            "CLICKHOUSE_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "manage.py", "clickhouse_local", f"--path={self.data}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--port={self.port}", f"--backups={self.backups}"],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            self.port = self.wait_for_port()
        except AssertionError:
            self.stop()
            raise

    def wait_for_port(self) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in self.log.read_text().splitlines():
                if "clickhouse_local_ready" in line:
                    return int(json.loads(line)["address"].rpartition(":")[2])
            self.assert_alive()
            time.sleep(0.02)
        raise AssertionError(f"clickhouse_local is not ready. {self.last_words()}")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def assert_alive(self) -> None:
        status = self.process.poll() if self.process else None
        assert status is None, f"clickhouse_local ended with {status}. {self.last_words()}"

    def last_words(self) -> str:
        return "Its log ends:\n" + self.log.read_text()[-2000:]

    def migrate(self, database: str) -> ClickhouseSettings:
        """Makes a database with the whole schema; how to reach it."""
        settings = self.settings(database)
        migrator = Migrator(settings, read_migrations(MIGRATIONS))
        migrator.prepare()
        for migration in migrator.migrations:
            migrator.apply(migration)
        migrator.close()
        return settings

    def settings(self, database: str = "") -> ClickhouseSettings:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "secure": False,
            "user": "default",
            "password": PASSWORD,
            "database": database,
            "connect_seconds": 5,
            "query_seconds": 20,
            "readonly": False,
        }
