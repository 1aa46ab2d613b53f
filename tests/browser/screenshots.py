"""`python -m tests.browser.screenshots`: the pictures of docs/images, of a service that it starts.

Takes about four minutes: the charts by minute need minutes to have something to show.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from selenium.webdriver.common.by import By

from ingestion.demo.ports import HOST, answers
from ingestion.demo.processes import Children
from ingestion.demo.tour import ask
from tests.browser.chromium import browser, log_in, missing, wait_for_charts
from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"
MANAGE = [sys.executable, str(REPOSITORY / "manage.py")]
NAME, PASSWORD = "operator", secrets.token_urlsafe(12)

QUESTIONS = ("videos?sort=trending", "videos?sort=popular", "stats", "hashtags")
MADE_UP_EVENTS = 40_000
START_SECONDS = 120
SHOWN_SECONDS = 200
MAX_BYTES = 200_000


@contextlib.contextmanager
def service(directory: Path) -> Iterator[int]:
    """The port of an API with a month of made-up events and a relay that keeps sending others."""
    http, clickhouse, relay = free_port(), free_port(), free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "funnel.settings",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "CLICKHOUSE_URL": f"clickhouse://{HOST}:{clickhouse}/nostr",
        "CLICKHOUSE_PASSWORD": secrets.token_urlsafe(12),
        "RELAY_URLS": f"ws://{HOST}:{relay}",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "API_TOKEN": "",
        "LOG_JSON": "false",
    }
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    children = Children(environment=environment, log_directory=directory, stop_seconds=20)

    def start(name: str, *arguments: str) -> None:
        children.start(name, [*MANAGE, name, *arguments])

    def run(name: str, *arguments: str) -> None:
        children.run(name, [*MANAGE, name, *arguments])

    def until_it_listens(port: int) -> None:
        children.wait_until(
            lambda: answers(port), seconds=START_SECONDS, what=f"{port} is listened at"
        )

    try:
        start("clickhouse_local", f"--path={directory / 'clickhouse'}", f"--port={clickhouse}")
        until_it_listens(clickhouse)
        run("clickhouse_migrate")
        run("migrate", "--no-input")
        run("createsuperuser", "--noinput", f"--username={NAME}", "--email=")
        run("generate_events", f"--count={MADE_UP_EVENTS}", "--days=30")
        start("demo_relay", f"--port={relay}")
        until_it_listens(relay)
        start("ingest_relay")
        start("project_read_model")
        gunicorn = ["--bind", f"{HOST}:{http}", "--config", str(REPOSITORY / "gunicorn.conf.py")]
        children.start("gunicorn", [sys.executable, "-m", "gunicorn", *gunicorn])
        until_it_listens(http)
        time.sleep(10)
        run("backfill_relay")
        yield http
    finally:
        children.stop()


def main() -> None:
    if reason := missing():
        raise SystemExit(reason)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, service(Path(directory)) as port:
        ends_at = time.monotonic() + SHOWN_SECONDS
        while time.monotonic() < ends_at:
            for question in QUESTIONS:
                # Several at once, as of many clients: what is fresh is not computed again.
                for _ in range(8):
                    ask(port, f"/api/{question}")
            time.sleep(5)
        with browser(width=1500, height=1000) as driver:
            log_in(driver, f"http://{HOST}:{port}", name=NAME, password=PASSWORD)
            driver.find_element(By.ID, "toggle-nav-sidebar").click()
            driver.get(f"http://{HOST}:{port}/admin/")
            wait_for_charts(driver)
            save(driver.get_screenshot_as_png(), "operations")
            driver.execute_script(
                "document.getElementById('panel-days').scrollIntoView({block: 'start'})"
            )
            save(driver.get_screenshot_as_png(), "tables")


def save(picture: bytes, name: str) -> None:
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"{name} has {len(picture):,} bytes (max {MAX_BYTES:,}).")
    (IMAGES / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    main()
