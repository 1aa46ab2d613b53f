"""`manage.py ingest_relay` as a process: a relay in, a real ClickHouse out, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import nostr_sdk
import orjson
import pytest
import redis
from django.conf import settings
from websockets.asyncio.client import connect

from funnel.clickhouse import Clickhouse
from funnel.nostr import Event
from funnel.sql import parse_query
from ingestion.demo.relay import local_relay
from tests.builders import (
    T,
    a_note,
    a_reaction,
    a_vanish,
    a_video,
    a_view,
    as_json,
    bob,
    carol,
    forged,
)
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_sync import ids, notes, one_busy_second, run
from tests.ports import free_port

MANAGE = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
SECRET = "b" * 64
DJANGO = {
    "PATH": os.environ["PATH"],
    "DJANGO_SETTINGS_MODULE": "funnel.settings",
    "SECRET_KEY": "tests",
    "LOG_JSON": "true",
}

STORED = parse_query("tests.stored", "-- Stored ids.\nSELECT id FROM events_local ORDER BY id")


class TcpGate:
    """Stands before ClickHouse; shut, nothing comes through and what was open is cut."""

    def __init__(self, port: object) -> None:
        self._to = int(str(port))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = free_port()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, back}
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        self._open -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@functools.cache
def migrated() -> bytes:
    """The file of a database of Django's that is as `migrate` leaves it."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "django.sqlite3"
        subprocess.run(
            [*MANAGE, "migrate", "ingestion", "--skip-checks", "-v0"],
            env=DJANGO | {"DATABASE_URL": f"sqlite:///{file}"},
            check=True,
        )
        return file.read_bytes()


def a_database(file: Path) -> str:
    """Makes one there, without a row; its URL."""
    file.write_bytes(migrated())
    return f"sqlite:///{file}"


@pytest.fixture
def environment(clickhouse: Clickhouse, tmp_path: Path) -> dict[str, str]:
    """What a worker reads its settings from: the tests' ClickHouse, a database file of its own."""
    of = settings.CLICKHOUSE["default"]
    return DJANGO | {
        "DATABASE_URL": a_database(tmp_path / "django.sqlite3"),
        "CLICKHOUSE_URL": f"clickhouse://{of['host']}:{of['port']}",
        "CLICKHOUSE_USER": str(of["user"]),
        "CLICKHOUSE_PASSWORD": str(of["password"]),
        "CLICKHOUSE_DATABASE": str(of["database"]),
    }


def cursors(environment: dict[str, str]) -> list[int]:
    rows = in_django(environment, "SELECT synced_until FROM ingestion_synccursor")
    return [row[0] for row in rows]


def events_sent(environment: dict[str, str]) -> int:
    file = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file)) as database:
        [[events]] = database.execute("SELECT sum(events) FROM ingestion_relayminute")
    return int(events)


@contextlib.asynccontextmanager
async def running(
    environment: dict[str, str], command: str, *arguments: str, **changes: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A management command at work; what it logs goes to the test's own stderr."""
    process = await asyncio.create_subprocess_exec(
        *MANAGE, command, *arguments, env=environment | changes
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def ingesting(
    environment: dict[str, str], *arguments: str, **changes: str
) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """A running worker."""
    return running(environment, "ingest_relay", *arguments, **changes)


async def end_of(process: asyncio.subprocess.Process, seconds: float = 30.0) -> int:
    async with asyncio.timeout(seconds):
        return await process.wait()


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def stored_ids(clickhouse: Clickhouse) -> list[str]:
    return [row["id"] for row in clickhouse.select(STORED, {})]


def metric(port: int, line_start: str) -> float:
    """The value of the first metric line that begins so; 0 where there is none yet."""
    try:
        page = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    except OSError:
        return 0.0
    for line in page.splitlines():
        if line.startswith(line_start):
            return float(line.rpartition(" ")[2])
    return 0.0


def test_until_caught_up_everything_that_the_relay_had_stored_is_written_once(
    clickhouse, environment
):
    video = a_video()
    stored = [*one_busy_second(), video, a_view(video), a_reaction(video), a_vanish(carol)]
    written = [event for event in stored if event != a_view(video)]

    async def scenario() -> None:
        async with FakeRelay(stored).running() as relay:
            for _ in range(2):
                async with ingesting(
                    environment, "--until-caught-up", "--relay", relay.url
                ) as worker:
                    assert 0 == await end_of(worker)

    before = int(time.time())
    run(scenario())

    assert ids(*written) == stored_ids(clickhouse)
    assert before <= cursors(environment)[0] <= time.time()
    # The admin's count of what the relay has sent; a crowded second is sent more than once.
    assert len(stored) <= events_sent(environment)


def test_sigterm_writes_what_is_in_memory_and_exits_with_0(clickhouse, environment):
    live = [a_note(bob, f"live {n}", at=n) for n in range(300)]
    port = free_port()

    async def scenario() -> None:
        async with (
            FakeRelay(notes(3, first_at=1000)).running() as relay,
            ingesting(
                environment,
                f"--metrics-port={port}",
                RELAY_URL=relay.url,
                BATCH_SIZE="100000",
                BATCH_MAX_MS="60000",
            ) as worker,
        ):
            await until(lambda: cursors(environment))
            await relay.publish(*live)
            received = 'ingestion_events_received_total{kind="1"}'
            await asyncio.to_thread(
                lambda: asyncio.run(until(lambda: metric(port, received) >= 303))
            )
            assert 3 == len(stored_ids(clickhouse))
            worker.send_signal(signal.SIGTERM)

            assert 0 == await end_of(worker, 15)

    run(scenario())

    assert 303 == len(stored_ids(clickhouse))


def test_while_clickhouse_is_away_nothing_is_lost(clickhouse, environment):
    stored = notes(1500)
    live = [a_note(bob, f"live {n}", at=5000 + n) for n in range(50)]

    async def scenario() -> None:
        gate = TcpGate(settings.CLICKHOUSE["default"]["port"])
        async with (
            FakeRelay(stored).running() as relay,
            ingesting(
                environment,
                RELAY_URL=relay.url,
                CLICKHOUSE_URL=f"clickhouse://127.0.0.1:{gate.port}",
                BATCH_SIZE="50",
            ) as worker,
        ):
            await until(lambda: relay.pages >= 1)
            await gate.open()
            await until(lambda: stored_ids(clickhouse))
            await gate.shut()
            await relay.publish(*live)
            await asyncio.sleep(0.5)
            await gate.open()
            await until(lambda: cursors(environment))
            await until(lambda: len(stored_ids(clickhouse)) == 1550)
            worker.send_signal(signal.SIGINT)

            assert 0 == await end_of(worker)
            await gate.shut()

    run(scenario())

    assert ids(*stored, *live) == stored_ids(clickhouse)


def test_told_to_stop_while_clickhouse_is_away_it_goes_in_time_and_the_cursor_covers_nothing(
    clickhouse, environment
):
    async def scenario() -> None:
        async with FakeRelay(notes(100)).running() as relay:
            async with ingesting(
                environment,
                RELAY_URL=relay.url,
                CLICKHOUSE_URL=f"clickhouse://127.0.0.1:{free_port()}",
                SHUTDOWN_SECONDS="3",
            ) as worker:
                await until(lambda: relay.pages >= 2)
                began = time.monotonic()
                worker.send_signal(signal.SIGTERM)

                assert 0 == await end_of(worker, 10)
                assert time.monotonic() - began < 5
            assert [] == cursors(environment)

            async with ingesting(environment, "--until-caught-up", RELAY_URL=relay.url) as worker:
                assert 0 == await end_of(worker)

    run(scenario())

    assert ids(*notes(100)) == stored_ids(clickhouse)


def test_a_second_signal_ends_it_at_once(environment):
    async def scenario() -> None:
        async with (
            FakeRelay(notes(10)).running() as relay,
            ingesting(
                environment,
                RELAY_URL=relay.url,
                CLICKHOUSE_URL=f"clickhouse://127.0.0.1:{free_port()}",
            ) as worker,
        ):
            await until(lambda: relay.pages >= 2)
            worker.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert worker.returncode is None
            worker.send_signal(signal.SIGTERM)

            assert 128 + signal.SIGTERM == await end_of(worker, 5)

    run(scenario())


def test_a_relay_that_wants_a_sign_in_ends_until_caught_up_with_3_or_gets_one(
    clickhouse, environment, capfd
):
    key = nostr_sdk.Keys.parse(SECRET).secret_key().to_bech32()

    async def scenario() -> None:
        async with FakeRelay(notes(10), challenge="who?").running() as relay:
            arguments = ("--until-caught-up", "--relay", relay.url)
            async with ingesting(environment, *arguments) as worker:
                assert 3 == await end_of(worker)
            assert [] == stored_ids(clickhouse)
            secrets = {"RELAY_SECRET_KEY": key, "LOG_LEVEL": "DEBUG"}
            async with ingesting(environment, *arguments, **secrets) as worker:
                assert 0 == await end_of(worker)

    run(scenario())

    assert 10 == len(stored_ids(clickhouse))
    said = capfd.readouterr().err
    assert "signed_in" in said
    hidden = (key, SECRET, environment["CLICKHOUSE_PASSWORD"], environment["SECRET_KEY"])
    assert [] == [secret for secret in hidden if f'"{secret}' in said or f":{secret}@" in said]


def ready(port: int) -> tuple[int, str]:
    """The status and body of /ready; 0 while nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as page:
            return page.status, page.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


async def until_ready_says(port: int, status: int, words: str = "") -> None:
    async with asyncio.timeout(30):
        while True:
            said, body = await asyncio.to_thread(ready, port)
            if said == status and words in body:
                return
            await asyncio.sleep(0.05)


def test_ready_means_subscribed_and_caught_up_and_writing(clickhouse, environment):
    port = free_port()

    async def scenario() -> None:
        gate = TcpGate(settings.CLICKHOUSE["default"]["port"])
        await gate.open()
        relay = FakeRelay(notes(3))
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(relay.running())
            await running.enter_async_context(
                ingesting(
                    environment,
                    f"--metrics-port={port}",
                    RELAY_URL=relay.url,
                    CLICKHOUSE_URL=f"clickhouse://127.0.0.1:{gate.port}",
                )
            )
            await until_ready_says(port, 200)
            assert 3 == len(stored_ids(clickhouse))

            await gate.shut()
            await relay.publish(a_note(bob, "meanwhile", at=9))
            await until_ready_says(port, 503, "ClickHouse")
            await gate.open()
            await until_ready_says(port, 200)

            await relay.cut()
            await until_ready_says(port, 503, "connecting")
            await until_ready_says(port, 200)
            await gate.shut()

    run(scenario())


def ids_in_redis(url: str) -> set[bytes]:
    with redis.Redis.from_url(url) as client:
        return set().union(*(client.smembers(key) for key in client.keys("funnel:stored:*")))


def test_what_one_worker_has_stored_another_one_need_not_check(
    clickhouse, environment, redis_url, tmp_path
):
    live = [a_note(bob, f"live {n}", at=n) for n in range(50)]
    stored_first, stored_then = notes(2), notes(4)
    ports = free_port(), free_port()
    other = environment | {"DATABASE_URL": a_database(tmp_path / "other.sqlite3")}

    async def scenario() -> None:
        async with (
            FakeRelay(stored_first).running() as one,
            FakeRelay(stored_then).running() as two,
            ingesting(
                environment,
                f"--metrics-port={ports[0]}",
                RELAY_URL=one.url,
                DEDUP_REDIS_URL=redis_url,
            ),
            ingesting(
                other,
                f"--metrics-port={ports[1]}",
                RELAY_URL=two.url,
                DEDUP_REDIS_URL=redis_url,
            ),
        ):
            for port in ports:
                await until_ready_says(port, 200)
            # What was refused is not stored: the genuine events must come in from anywhere.
            await one.publish(*[forged(event) for event in live[:10]])
            await one.publish(*live[10:])
            await until(lambda: len(ids_in_redis(redis_url)) == 44)
            await two.publish(*live)
            await until(lambda: len(set(stored_ids(clickhouse))) == 54)
            found = await asyncio.to_thread(metric, ports[1], "ingestion_shared_ids_found_total")

        assert 40.0 == found

    run(scenario())

    # Both had the first notes in their first batch, which ClickHouse merges in its own time.
    assert ids(*stored_then, *live) == sorted(set(stored_ids(clickhouse)))


def test_without_the_key_that_a_relay_asks_for_the_worker_says_so(clickhouse, environment):
    port = free_port()

    async def scenario() -> None:
        async with (
            FakeRelay(notes(3), challenge="who?").running() as relay,
            ingesting(environment, f"--metrics-port={port}", RELAY_URL=relay.url),
        ):
            await until_ready_says(port, 503, "RELAY_SECRET_KEY")
            missing = await asyncio.to_thread(metric, port, "ingestion_sign_in_impossible{")

        assert 1.0 == missing

    run(scenario())


def test_an_event_that_clickhouse_refuses_stands_alone_in_the_rejected_list(
    clickhouse, environment
):
    stored = [*notes(40), a_note(bob, "poison", at=20), *notes(40, first_at=100)]

    async def scenario() -> None:
        async with FakeRelay(stored).running() as relay:
            arguments = ("--until-caught-up", "--relay", relay.url)
            async with ingesting(environment, *arguments) as worker:
                assert 0 == await end_of(worker)

    clickhouse.command(
        "ALTER TABLE events_local ADD CONSTRAINT no_poison CHECK content != 'poison'"
    )
    try:
        run(scenario())
    finally:
        clickhouse.command("ALTER TABLE events_local DROP CONSTRAINT no_poison")

    assert ids(*stored[:40], *stored[41:]) == sorted(set(stored_ids(clickhouse)))
    ((reason, sample),) = in_django(
        environment, "SELECT reason, sample FROM ingestion_rejectedevent"
    )
    assert "refused_by_clickhouse" == reason
    assert stored[40].id in sample


def test_in_trusted_mode_a_signature_is_the_relays_business(clickhouse, environment):
    unsigned = forged(a_note(), sig="0" * 128)

    async def scenario(**changes: str) -> None:
        async with FakeRelay([unsigned]).running() as relay:
            arguments = ("--until-caught-up", "--relay", relay.url)
            async with ingesting(environment, *arguments, **changes) as worker:
                assert 0 == await end_of(worker)

    run(scenario())
    assert [] == stored_ids(clickhouse)
    run(scenario(VERIFY="trusted"))
    assert [unsigned.id] == stored_ids(clickhouse)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "RELAY_URL"),
        ({"RELAY_URL": "ws://127.0.0.1:9", "VERIFY": "sometimes"}, "VERIFY"),
        ({"RELAY_URL": "ws://127.0.0.1:9", "DEDUP_REDIS_URL": "127.0.0.1"}, "DEDUP_REDIS_URL"),
        ({"RELAY_URL": "https://relay.example"}, "RELAY_URL"),
        ({"RELAY_URL": "ws://127.0.0.1:9", "RELAY_SECRET_KEY": SECRET[:-1]}, "RELAY_SECRET_KEY"),
        ({"RELAY_URL": "ws://127.0.0.1:9", "INGEST_KINDS": "1,70000"}, "INGEST_KINDS"),
        ({"RELAY_URL": "ws://127.0.0.1:9", "DATABASE_URL": "sqlite://:memory:"}, "migrate"),
    ],
)
def test_what_is_wrong_with_the_settings_is_one_sentence(environment, changes, words):
    ended = subprocess.run(
        [*MANAGE, "ingest_relay"],
        env=environment | changes,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 1 == ended.returncode
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert SECRET[:-1] not in ended.stderr


def in_django(environment: dict[str, str], sql: str, *values: object) -> list[Any]:
    """Does to Django's database what the admin does, and gives the rows of the answer."""
    file = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, timeout=20)) as database, database:
        return database.execute(sql, values).fetchall()


def relay_state(environment: dict[str, str]) -> str:
    return str(in_django(environment, "SELECT state FROM ingestion_relay")[0][0])


def test_pausing_a_relay_takes_effect_while_the_worker_runs(clickhouse, environment):
    """Also while ClickHouse is away and the worker has something to write."""

    async def scenario() -> None:
        gate = TcpGate(settings.CLICKHOUSE["default"]["port"])
        await gate.open()
        async with (
            FakeRelay(notes(3)).running() as relay,
            ingesting(
                environment,
                RELAY_URL=relay.url,
                CLICKHOUSE_URL=f"clickhouse://127.0.0.1:{gate.port}",
            ) as worker,
        ):
            await until(lambda: len(stored_ids(clickhouse)) == 3)
            await until(lambda: relay_state(environment) == "live")
            await gate.shut()
            before = a_note(bob, "before", at=int(time.time()) - T)
            await relay.publish(before)
            in_django(environment, "UPDATE ingestion_relay SET is_paused = 1")
            await until(lambda: relay_state(environment) == "paused", 10)
            await until(lambda: not relay.is_connected)
            await gate.open()

            meanwhile = a_note(bob, "meanwhile", at=int(time.time()) - T)
            await relay.publish(meanwhile)
            await until(lambda: before.id in stored_ids(clickhouse))
            assert meanwhile.id not in stored_ids(clickhouse)
            in_django(environment, "UPDATE ingestion_relay SET is_paused = 0")
            await until(lambda: meanwhile.id in stored_ids(clickhouse))
            worker.send_signal(signal.SIGTERM)
            assert 0 == await end_of(worker)
            await gate.shut()

    run(scenario())


def test_a_relay_that_the_admin_adds_is_read_beside_that_of_the_settings(clickhouse, environment):
    async def scenario() -> None:
        async with (
            FakeRelay(notes(3)).running() as of_settings,
            FakeRelay(notes(9)).running() as added,
            ingesting(environment, RELAY_URL=of_settings.url) as worker,
        ):
            await until(lambda: len(stored_ids(clickhouse)) == 3)
            in_django(
                environment,
                "INSERT INTO ingestion_relay"
                " (url, is_listed, is_paused, state, state_changed_at, last_error)"
                " VALUES (?, 1, 0, 'stopped', CURRENT_TIMESTAMP, '')",
                added.url,
            )
            await until(lambda: len(set(stored_ids(clickhouse))) == 9)
            assert of_settings.is_connected
            worker.send_signal(signal.SIGTERM)
            assert 0 == await end_of(worker)

    run(scenario())


async def publish(url: str, events: list[Event]) -> None:
    async with connect(url) as relay:

        async def send() -> None:
            for event in events:
                await relay.send(orjson.dumps(["EVENT", as_json(event)]).decode())

        sending = asyncio.create_task(send())
        for _ in events:
            assert "true" in str(await relay.recv())
        await sending


def one_second_of_one_author() -> list[Event]:
    return [a_note(bob, f"at once {n}", at=3000) for n in range(1200)]


def test_the_relay_of_nostr_sdk_is_read_completely(clickhouse, environment):
    """It gives 500 events at a time: of a second with more, NIP-77 tells the ids."""
    stored = [*notes(600, first_at=1000, step=7), *one_second_of_one_author()]

    async def scenario() -> None:
        async with local_relay(port=free_port()) as url:
            await publish(url, stored)
            async with ingesting(environment, "--until-caught-up", "--relay", url) as worker:
                assert 0 == await end_of(worker)
            async with ingesting(environment, "--relay", url) as worker:
                await asyncio.sleep(2)
                await publish(url, [a_note(carol, "live", at=int(time.time()) - T)])
                await until(lambda: len(set(stored_ids(clickhouse))) == 1801)
                worker.send_signal(signal.SIGTERM)
                assert 0 == await end_of(worker)

    run(scenario())

    assert set(ids(*stored)) < set(stored_ids(clickhouse))
