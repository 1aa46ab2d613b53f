"""What docker-compose.yml and the units of systemd start is started here, outside of containers."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.demo.edge import NginxMissing, nginx
from tests.clickhouse_server import PASSWORD, REPOSITORY, LocalServer
from tests.nginx_edge import get
from tests.ports import free_ports

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = {name for name, service in SERVICES.items() if service["image"] == "funnel"}
UNITS = sorted((REPOSITORY / "deploy" / "systemd").glob("*.service"))
START_SECONDS = 60
# The ports of docker-compose.yml, each of which becomes a free one here.
PORTS = ("8000", "8080", "8081", "9101", "9102")


class Deployment:
    """Runs the command lines of docker-compose.yml with this machine's places instead."""

    def __init__(self, directory: Path, server: LocalServer) -> None:
        self.directory = directory
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        (directory / "tmp").mkdir()
        (directory / "static").mkdir()
        (directory / "run").mkdir()
        self.places = {
            **{rf"\b{port}\b": free for port, free in ports.items()},
            r"api:(\d+) resolve": r"127.0.0.1:\1",
            r"127\.0\.0\.11": "127.0.0.1",
            r"/tmp\b": str(directory / "tmp"),  # noqa: S108 - the container's
            r"/static/": f"{directory}/static/",
            r"/srv/static\b": str(directory / "static"),
            r"/var/cache/nginx\b": str(directory / "run"),
            r"/etc/funnel\b": str(REPOSITORY / "deploy" / "nginx"),
        }
        # What an image brings along, and what stands in .env.
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin",
            "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
            "SECRET_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "CLICKHOUSE_PASSWORD": PASSWORD,
            # Nobody is there: the worker has to live with that.
            "RELAY_URL": "ws://127.0.0.1:9",
        }
        self.clickhouse = f"clickhouse://127.0.0.1:{server.port}"
        self.ports = {int(port): int(free) for port, free in ports.items()}

    def here(self, text: str) -> str:
        for place, ours in self.places.items():
            text = re.sub(place, ours, text)
        return text

    def words(self, line: str | list[str]) -> list[str]:
        """As Docker takes them: compose has written `$` as `$$`."""
        words = line if isinstance(line, list) else shlex.split(line)
        return [self.here(word.replace("$$", "$")) for word in words]

    def start(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        service = SERVICES[name]
        environment = {
            key: self.here(str(value)) for key, value in service.get("environment", {}).items()
        }
        if "CLICKHOUSE_URL" in environment:
            environment["CLICKHOUSE_URL"] = self.clickhouse
        line = self.words(service.get("entrypoint", [])) + self.words(service["command"])
        if name == "nginx" and os.geteuid() == 0:
            line = [word.replace("daemon off;", "daemon off; user root;") for word in line]
        with (self.directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*line, *more],
                cwd=REPOSITORY,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
            )

    def said(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()[-3000:]

    @contextlib.contextmanager
    def healthy(self, name: str) -> Iterator[None]:
        """Runs while it does what its health check asks for."""
        process = self.start(name)
        try:
            deadline = time.monotonic() + START_SECONDS
            check = self.words(SERVICES[name]["healthcheck"]["test"])
            path = {"PATH": self.environment["PATH"]}
            while subprocess.run(check, env=path, capture_output=True, check=False).returncode:
                assert process.poll() is None, self.said(name)
                assert time.monotonic() < deadline, self.said(name)
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.timeout(240)
def test_each_service_runs_as_its_command_line_says(tmp_path):
    server = LocalServer(tmp_path)
    server.start()
    try:
        deployment = Deployment(tmp_path, server)
        collected = REPOSITORY / "staticfiles"
        had_collected = collected.exists()
        collected.mkdir(exist_ok=True)
        try:
            migrate = deployment.start("migrate")
            assert 0 == migrate.wait(120), deployment.said("migrate")
        finally:
            if not had_collected:
                shutil.rmtree(collected)
        backfill = deployment.start("backfill", "--help")
        assert 0 == backfill.wait(60), deployment.said("backfill")
        with contextlib.ExitStack() as running:
            for name in ("ingestion", "project", "api"):
                running.enter_context(deployment.healthy(name))
            with contextlib.suppress(NginxMissing):
                nginx()
                running.enter_context(deployment.healthy("nginx"))
                got = get(deployment.ports[8080], "/api/stats")
                assert (200, "MISS") == (got.status, got.cache)
            assert 200 == get(deployment.ports[8000], "/api/stats").status
    finally:
        server.stop()


def test_services_can_write_nowhere_but_in_volumes_and_gain_no_rights():
    for name in OWN | {"nginx", "prometheus", "redis"}:
        assert SERVICES[name]["read_only"], name
        assert ["ALL"] == SERVICES[name]["cap_drop"], name
    # What runs until it is stopped is looked at.
    for name, service in SERVICES.items():
        assert "healthcheck" in service or name in {"migrate", "backfill", "grafana"}, name
    mounted = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    named = {volume for volume in mounted if not volume.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert all((REPOSITORY / path).exists() for path in mounted - named)


def test_no_secret_stands_in_a_file_of_deployment():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|TOKEN", name):
                assert re.fullmatch(r"\$\{\w+:[-?][\w ./]*\}", value), name


def test_the_image_gets_what_the_service_needs_and_nothing_else():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.M)
    allowed = re.findall(r"^!(.+)$", (REPOSITORY / ".dockerignore").read_text(), re.M)

    assert sorted(name for names in copied for name in names.split()) == sorted(allowed)
    assert all((REPOSITORY / name).exists() for name in allowed)


def test_django_finds_nothing_to_warn_of():
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "funnel.example.com",
        "PUBLIC_URL": "https://funnel.example.com",
    }
    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == check.returncode, check.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_takes_a_unit(unit, tmp_path):
    # systemd-analyze looks for the program and the account; ours may be nowhere but in the unit.
    text = re.sub(r"^(ExecStart\w*=)\S+", r"\1/bin/true", unit.read_text(), flags=re.M)
    copy = tmp_path / unit.name
    copy.write_text(text)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "SYSTEMD_LOG_LEVEL": "warning"},
    )

    ours = [line for line in verified.stderr.splitlines() if unit.name in line]
    assert [] == [line for line in ours if "Unknown" in line or "Failed to parse" in line]
    assert "Unknown" not in verified.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_that_there_is(unit):
    line = re.search(r"^ExecStart=(.+)$", unit.read_text(), re.M)
    assert line
    words = shlex.split(line[1])
    commands = {path.stem for path in REPOSITORY.glob("*/management/commands/[!_]*.py")}

    if "manage.py" in words:
        assert words[words.index("manage.py") + 1] in commands
    else:
        assert Path(words[0]).name in {"gunicorn", "nginx"}
