"""Runs the embedded ClickHouse: one data directory, the native protocol on loopback."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from funnel.clickhouse_local.data_directory import DataDirectory, DataDirectoryRefused
from funnel.clickhouse_local.engine import Engine, EngineError
from funnel.clickhouse_local.server import AddressRefused, Server, bind, listener_name, resolve

log = structlog.get_logger()

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9000


class Command(BaseCommand):
    help = "Run the embedded ClickHouse until SIGTERM or Ctrl-C (development and small sites)."
    # It is what the checks of the other commands would ask.
    requires_system_checks = []  # noqa: RUF012

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--path",
            type=Path,
            default=settings.BASE_DIR / "data" / "clickhouse",
            help="data directory, owned by one process at a time (default: %(default)s)",
        )
        parser.add_argument(
            "--host",
            default=DEFAULT_HOST,
            help="address to listen on; beyond loopback only with CLICKHOUSE_PASSWORD"
            " (default: %(default)s)",
        )
        parser.add_argument(
            "--port",
            type=int,
            default=DEFAULT_PORT,
            help="port to listen on, 0 for any free one (default: %(default)s)",
        )

        parser.add_argument(
            "--backups",
            type=Path,
            help="directory into which clickhouse_backup may write (default: nowhere)",
        )

    def handle(
        self, *, path: Path, host: str, port: int, backups: Path | None, **options: Any
    ) -> None:
        if not hasattr(os, "memfd_create"):
            raise CommandError(
                "clickhouse_local runs on Linux only: run a ClickHouse server and set"
                " CLICKHOUSE_URL instead."
            )
        accounts = {
            str(door["user"]): str(door["password"]) for door in settings.CLICKHOUSE.values()
        }
        try:
            address = resolve(host, port, has_password=all(accounts.values()))
            with DataDirectory(path.resolve()) as directory, bind(address) as listener:
                directory.describe_owner(f"process {os.getpid()} on {listener_name(listener)}")
                run(directory.path, listener, accounts, backups)
        except (AddressRefused, DataDirectoryRefused) as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            raise CommandError(
                f"The embedded engine needs the package {error.name}:"
                " pip install -r requirements-dev.txt."
            ) from error


def run(
    path: Path, listener: socket.socket, accounts: Mapping[str, str], backups: Path | None
) -> None:
    """Serve until a signal comes; the caller owns the directory and the socket."""
    if backups:
        backups = backups.resolve()
        try:
            backups.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CommandError(f"{backups} cannot be used: {error.strerror}.") from error
    # Tables of many parts have many files open; the usual limit of 1,024 is soon met.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        engine = Engine(path, backups=backups)
    except EngineError as error:
        raise CommandError(f"The engine does not start on {path}: {error}") from error
    try:
        server = Server(listener, engine=engine, accounts=accounts)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        server.open()
        log.info(
            "clickhouse_local_ready",
            address=listener_name(listener),
            path=str(path),
            engine=engine.version,
        )
        server.serve()
    finally:
        engine.close()
    log.info("clickhouse_local_stopped")
