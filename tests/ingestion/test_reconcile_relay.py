"""`manage.py reconcile_relay` as a process: what it finds, and how it asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from funnel.nostr import Event
from ingestion.demo.relay import local_relay
from tests.builders import (
    T,
    a_deletion,
    a_note,
    a_profile,
    a_video,
    alice,
    an_event,
    as_json,
    bob,
    carol,
)
from tests.delivery import Delivery
from tests.ingestion.fake_relay import FakeRelay
from tests.ingestion.test_ingest_relay import environment, publish, stored_ids
from tests.ingestion.test_sync import ids, notes, run
from tests.ports import free_port

__all__ = ["environment"]

MANAGE = str(Path(settings.BASE_DIR) / "manage.py")
INCOMPLETE = 3
# The most events that the refusing relay compares at once.
MOST_EVENTS = 800


async def reconcile(
    environment: dict[str, str], *arguments: str
) -> tuple[int | None, list[dict[str, Any]]]:
    """The exit code, and what was logged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        MANAGE,
        "reconcile_relay",
        *arguments,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    sys.stderr.write(told.decode())
    lines = [line for line in told.decode().splitlines() if line.startswith("{")]
    return process.returncode, [json.loads(line) for line in lines]


@contextlib.asynccontextmanager
async def refusing(url: str, stored: list[Event]) -> AsyncIterator[str]:
    """The same relay, but it compares no more than MOST_EVENTS of what it has at once."""

    async def converse(client: ServerConnection) -> None:
        async with connect(url) as relay:

            async def answer() -> None:
                async for frame in relay:
                    await client.send(frame)

            answering = asyncio.create_task(answer())
            with contextlib.suppress(ConnectionClosed):
                async for frame in client:
                    match orjson.loads(frame):
                        case ["NEG-OPEN", str(name), {"since": since, "until": until}, *_] if (
                            sum(since <= event.created_at <= until for event in stored)
                            > MOST_EVENTS
                        ):
                            said = ["NEG-ERR", name, "blocked: too many query results"]
                            await client.send(orjson.dumps(said).decode())
                        case _:
                            await relay.send(frame)
            answering.cancel()

    async with serve(converse, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_exactly_what_was_never_accepted_is_fetched_and_nothing_is_taken_for_deleted(
    clickhouse, environment
):
    """Also of a relay that refuses to compare so much at once."""
    video, old, new = a_video(at=10), a_profile(bob, at=20), a_profile(bob, at=30)
    ours_alone = [a_note(carol, f"elsewhere {n}", at=n) for n in range(50)]
    common = [*notes(600, step=100), video, old, new, a_deletion(video)]
    # More than a page, a whole second of it.
    missing = [a_note(alice, f"backdated {n}", at=n * 70) for n in range(700)]
    missing += [a_note(alice, f"at once {n}", at=1234) for n in range(600)]
    stored = [*common[:600], new, *missing]
    Delivery(clickhouse, now=T + 10**6).write(map(as_json, [*common, *ours_alone]))

    async def scenario() -> None:
        async with local_relay(port=free_port()) as url, refusing(url, stored) as refusing_url:
            # The relay itself keeps neither what is superseded nor what is deleted.
            await publish(url, stored)

            code, lines = await reconcile(environment, "--relay", refusing_url)
            assert (0, 1300) == (code, lines[-1]["missing"])
            assert 1 < lines[-1]["spans_compared"]
            assert 0 == lines[-1]["spans_paged"]

            code, lines = await reconcile(environment, "--relay", url)
            assert (0, 0, 1) == (code, lines[-1]["missing"], lines[-1]["spans_compared"])

    run(scenario())

    assert ids(*common, *missing, *ours_alone) == sorted(set(stored_ids(clickhouse)))


def test_a_relay_without_nip_77_is_read_page_by_page_and_that_is_said(clickhouse, environment):
    stored = notes(30)

    async def scenario() -> None:
        async with FakeRelay(stored, cap=10).running() as relay:
            code, lines = await reconcile(
                environment, "--relay", relay.url, "--since", str(T + 5), "--until", str(T + 20)
            )

        assert 0 == code
        assert ["paging"] == [
            line["instead"] for line in lines if line["event"] == "negentropy_unsupported"
        ]
        assert 1 == lines[-1]["spans_paged"]

    run(scenario())

    assert ids(*stored[5:21]) == sorted(set(stored_ids(clickhouse)) - set(ids(stored[21])))


def test_a_backdated_event_that_is_published_while_pages_are_read_hides_nothing(
    clickhouse, environment
):
    stored = notes(300)
    backdated = a_note(carol, "older than everything", at=-1000)

    async def scenario() -> None:
        async with FakeRelay(stored, cap=50, live_during={2: [backdated]}).running() as relay:
            assert 0 == (await reconcile(environment, "--relay", relay.url))[0]

    run(scenario())

    assert ids(*stored, backdated) == sorted(set(stored_ids(clickhouse)))


def test_a_second_that_was_read_by_what_is_known_is_not_called_complete(clickhouse, environment):
    busy = [an_event(kind, bob, content=f"{n}", at=100) for n in range(6) for kind in (1, 7)]

    async def scenario() -> None:
        async with FakeRelay([*notes(30), *busy], cap=8).running() as relay:
            code, lines = await reconcile(environment, "--relay", relay.url)

        assert (INCOMPLETE, 1) == (code, lines[-1]["unproven_seconds"])
        assert "the relay may have more" in lines[-1]["reason"]

    run(scenario())


def test_a_relay_that_is_away_is_not_taken_for_one_that_lacks_everything(clickhouse, environment):
    Delivery(clickhouse, now=T + 10**6).write(map(as_json, notes(3)))

    async def scenario() -> None:
        async with FakeRelay(challenge="who?").running() as relay:
            code, lines = await reconcile(environment, "--relay", relay.url)

        assert INCOMPLETE == code
        assert "reconciliation_incomplete" == lines[-1]["event"]

    run(scenario())

    assert ids(*notes(3)) == stored_ids(clickhouse)
