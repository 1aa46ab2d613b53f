"""`manage.py demo` as a visitor runs it: from nothing to live feeds, and back to nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.conf import settings

from ingestion.demo.edge import NginxMissing, nginx
from ingestion.demo.ports import PortRefused, Ports, read_ports, refuse_taken_ports
from ingestion.demo.tour import tour
from tests.ports import free_ports

READY_SECONDS = 60
STOP_SECONDS = 30
TRICKLE_SECONDS = 20
DEMO = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "demo"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_the_way_out(taken_port):
    ports = Ports(http=taken_port, clickhouse=1, relay=2)

    with pytest.raises(PortRefused) as refusal:
        refuse_taken_ports(ports, relay=True)

    expected = (
        f"Port {taken_port} is taken; choose another: DEMO_HTTP_PORT={taken_port + 1} make demo"
    )
    assert expected == str(refusal.value)


def test_the_relays_port_does_not_matter_where_another_relay_is_used(taken_port):
    http, clickhouse = free_ports(2)

    refuse_taken_ports(Ports(http=http, clickhouse=clickhouse, relay=taken_port), relay=False)


def test_nginx_that_is_missing_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    with pytest.raises(NginxMissing, match="apt-get install nginx-light"):
        nginx()


@pytest.mark.parametrize("text", ["", "web", "0", "65536", "-1", "８０８０"])
def test_a_malformed_port_is_named(text):
    with pytest.raises(PortRefused, match="DEMO_RELAY_PORT is malformed"):
        read_ports({"DEMO_RELAY_PORT": text})


def test_the_tour_asks_about_a_video_that_is_there():
    video = {"id": "c0ffee", "pubkey": "abba", "title": "A fox", "tags": [["t", "日本 & more"]]}

    lines = tour("http://host", [video]).splitlines()

    assert "one video's stats    curl -s 'http://host/api/videos/c0ffee/stats'" in lines
    assert any(line.endswith("tag=%E6%97%A5%E6%9C%AC+%26+more'") for line in lines)


def nginx_is_installed() -> bool:
    try:
        nginx()
    except NginxMissing:
        return False
    return True


def processes_of(directory: Path) -> list[str]:
    """Command lines of all processes that run with this demo's environment."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(directory).encode() in environment.read_bytes():
                found.append(environment.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def get(url: str) -> Any:
    with urlopen(url, timeout=10) as response:  # noqa: S310 - loopback
        return json.load(response)


@pytest.mark.timeout(150)
@pytest.mark.skipif(sys.platform != "linux", reason="the embedded ClickHouse runs on Linux only")
def test_the_demo_shows_live_videos_and_leaves_no_process(tmp_path):
    http, clickhouse, relay, edge, keeper = free_ports(5)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": "tests",
        # Where setproctitle is installed, gunicorn writes its name over its environment, by which
        # processes are found here.
        "SPT_NOENV": "1",
        "RELAY_URL": "",
        "RELAY_URLS": "",
        "DEMO_HTTP_PORT": str(http),
        "DEMO_CLICKHOUSE_PORT": str(clickhouse),
        "DEMO_RELAY_PORT": str(relay),
        "DEMO_EDGE_PORT": str(edge),
        "DEMO_KEEPER_PORT": str(keeper),
    }
    # As `make edge` where it can be run, and as `make demo` elsewhere.
    api = http
    with_edge = ["--edge"] if nginx_is_installed() else []
    if with_edge:
        http = edge
    said_path = tmp_path / "terminal"

    with said_path.open("w") as terminal:
        demo = subprocess.Popen(
            [*DEMO, "--directory", str(tmp_path / "demo"), *with_edge],
            env=environment,
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "Ctrl-C" not in said_path.read_text() and demo.poll() is None:
            assert time.monotonic() < deadline, said_path.read_text()
            time.sleep(0.2)
        assert demo.poll() is None, said_path.read_text()
        trending = get(f"http://127.0.0.1:{http}/api/videos?sort=trending&limit=50")
        before = get(f"http://127.0.0.1:{api}/api/stats")["total_events"]
        after = before
        deadline = time.monotonic() + TRICKLE_SECONDS
        while after <= before and time.monotonic() < deadline:
            time.sleep(0.2)
            # Not what nginx has kept.
            after = get(f"http://127.0.0.1:{api}/api/stats")["total_events"]
        running = processes_of(tmp_path / "demo")
        demo.send_signal(signal.SIGINT)
        demo.wait(STOP_SECONDS)
    finally:
        demo.kill()

    assert len([video for video in trending if video["reactions"] and video["comments"]]) >= 10
    assert all(video["trending_score"] > 0 for video in trending[:10])
    assert after > before, "the trickle must arrive"
    assert len(running) >= 6
    assert 0 == demo.returncode, said_path.read_text()
    assert [] == processes_of(tmp_path / "demo")
