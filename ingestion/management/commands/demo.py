"""`manage.py demo`: the whole service on this machine, fed by a local relay or by RELAY_URL."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.demo.edge import Edge, NginxMissing, nginx
from ingestion.demo.generator import DAY_SECONDS, OPENING_DAYS
from ingestion.demo.ports import (
    HOST,
    PortRefused,
    Ports,
    answers,
    read_ports,
    refuse_taken_ports,
)
from ingestion.demo.processes import ChildDied, Children, Stopped
from ingestion.demo.tour import ask, tour, trending

ROOT = Path(settings.BASE_DIR)

# What the demo promises before it says that it is ready.
TRENDING_VIDEOS = 10

START_SECONDS = 60
FEED_SECONDS = 120


class Command(BaseCommand):
    help = "Runs the whole service on this machine until Ctrl-C; the data stays for the next time."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--directory",
            type=Path,
            default=ROOT / ".demo",
            help="data and logs; default: .demo",
        )
        parser.add_argument(
            "--edge",
            action="store_true",
            help="put nginx in front, with deploy/nginx/nginx.conf.template",
        )

    def handle(self, *args: Any, directory: Path, edge: bool, **options: Any) -> None:
        try:
            ports = read_ports(os.environ)
            refuse_taken_ports(ports, relay=not settings.RELAY_URLS, edge=edge)
            if edge:
                nginx()
        except (PortRefused, NginxMissing) as error:
            raise CommandError(str(error)) from error
        directory = directory.resolve()
        directory.mkdir(parents=True, exist_ok=True)
        children = Children(
            environment=children_environment(
                os.environ,
                ports=ports,
                directory=directory,
                password=secrets.token_urlsafe(24),
                relays=settings.RELAY_URLS,
            ),
            log_directory=directory,
            stop_seconds=settings.SHUTDOWN_SECONDS + 5,
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: children.request_stop())
        try:
            self.start(children, ports=ports, directory=directory, edge=edge)
            children.watch()
        except Stopped:
            pass
        except ChildDied as error:
            raise CommandError(str(error)) from error
        finally:
            self.say("Stopping.")
            children.stop()

    def start(self, children: Children, *, ports: Ports, directory: Path, edge: bool) -> None:
        self.say(f"Starting; the logs are in {directory}.")
        manage = [sys.executable, str(ROOT / "manage.py")]

        clickhouse = ["clickhouse_local", "--path", str(directory / "clickhouse")]
        clickhouse += ["--host", HOST, "--port", str(ports.clickhouse)]
        children.start("clickhouse_local", [*manage, *clickhouse])
        children.wait_until(
            lambda: answers(ports.clickhouse), seconds=START_SECONDS, what="ClickHouse listens"
        )
        # An earlier version's data is little, and nobody else is at work on it.
        children.run("clickhouse_migrate", [*manage, "clickhouse_migrate", "--force"])
        children.run("migrate", [*manage, "migrate", "--no-input"])
        self.say(f"ClickHouse  {HOST}:{ports.clickhouse}, schema up to date")

        if settings.RELAY_URLS:
            self.say(f"relay       {', '.join(settings.RELAY_URLS)}")
        else:
            children.start("demo_relay", [*manage, "demo_relay", "--port", str(ports.relay)])
            children.wait_until(
                lambda: answers(ports.relay), seconds=START_SECONDS, what="The relay listens"
            )
            self.say(f"relay       ws://{HOST}:{ports.relay}, generated events")

        children.start("ingest_relay", [*manage, "ingest_relay"])
        children.start("project_read_model", [*manage, "project_read_model"])
        gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{ports.http}"]
        gunicorn += ["--chdir", str(ROOT), "--config", str(ROOT / "gunicorn.conf.py")]
        children.start(
            "gunicorn",
            gunicorn,
            environment={"PROMETHEUS_MULTIPROC_DIR": str(directory / "prometheus")},
        )
        children.wait_until(
            lambda: ask(ports.http, "/health") is not None,
            seconds=START_SECONDS,
            what="The API answers",
        )
        if not settings.RELAY_URLS:
            children.wait_until(
                lambda: len(trending(ports.http)) >= TRENDING_VIDEOS,
                seconds=FEED_SECONDS,
                what=f"{TRENDING_VIDEOS} videos with reactions are trending",
            )
        url = f"http://{HOST}:{ports.http}"
        self.say(f"API         {url}")
        if edge:
            children.run("collectstatic", [*manage, "collectstatic", "--no-input"])
            front = Edge(
                listen=f"{HOST}:{ports.edge}",
                keeper=f"{HOST}:{ports.keeper}",
                api=f"{HOST}:{ports.http}",
                directory=directory / "edge",
            )
            children.start("nginx", front.command())
            children.wait_until(
                lambda: ask(ports.edge, "/health") is not None,
                seconds=START_SECONDS,
                what="nginx answers",
            )
            url = f"http://{HOST}:{ports.edge}"
            self.say(f"nginx       {url}")
        self.say(f"\n{tour(url, trending(ports.http))}")
        self.say("\nCtrl-C stops everything; the data stays for the next time.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def children_environment(
    environment: Mapping[str, str],
    *,
    ports: Ports,
    directory: Path,
    password: str,
    relays: list[str],
) -> dict[str, str]:
    """The caller's environment, with every address and account replaced by the demo's own."""
    own = {
        "CLICKHOUSE_URL": f"clickhouse://{HOST}:{ports.clickhouse}",
        "CLICKHOUSE_USER": "default",
        "CLICKHOUSE_PASSWORD": password,
        "CLICKHOUSE_DATABASE": "nostr",
        "CLICKHOUSE_READER_USER": "",
        "CLICKHOUSE_READER_PASSWORD": "",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "PUBLIC_URL": f"http://{HOST}:{ports.http}",
        "API_TOKEN": "",
        "RATE_LIMIT": "0",
        "RATE_LIMIT_BULK": "0",
        "INGEST_METRICS_PORT": "0",
        "PROJECT_METRICS_PORT": "0",
        # A pass costs about the same for eight events as for a thousand; nobody waits here for
        # a second, and the machine is somebody's.
        "PROJECT_INTERVAL_MS": environment.get("PROJECT_INTERVAL_MS", "1000"),
        "LOG_JSON": "false",
        "PYTHONUNBUFFERED": "1",
    }
    if not relays:
        own["RELAY_URLS"] = f"ws://{HOST}:{ports.relay}"
        # Each time, the local relay starts with events of days that were synced before.
        own["CATCHUP_OVERLAP"] = str((OPENING_DAYS + 1) * DAY_SECONDS)
    return {**environment, **own}
