"""The demo's relay and publisher, over a real socket on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import nostr_sdk
import pytest
from django.conf import settings

from funnel.nostr import Kind
from ingestion.demo import publisher as publisher_module
from ingestion.demo.generator import EventGenerator
from ingestion.demo.publisher import Publisher
from ingestion.demo.relay import local_relay
from tests.ports import free_port


async def stored(url: str, kind: Kind) -> set[str]:
    client = nostr_sdk.Client()
    await client.add_relay(nostr_sdk.RelayUrl.parse(url))
    await client.connect(and_wait=timedelta(seconds=5))
    wanted = nostr_sdk.Filter().kind(nostr_sdk.Kind(kind))
    events = await client.fetch_events(nostr_sdk.ReqTarget.auto([wanted]), timedelta(seconds=5))
    await client.shutdown()
    return {event.id().to_hex() for event in events}


def test_the_relay_serves_what_the_publisher_sent():
    opening = EventGenerator(seed="tests").opening(int(time.time()))
    profiles = {event.id().to_hex() for event in opening if event.kind().as_u16() == Kind.PROFILE}

    async def publish_and_read() -> tuple[int, set[str]]:
        async with local_relay(port=free_port()) as url, Publisher(url) as publisher:
            for event in opening:
                await publisher.publish(event)
            return publisher.published, await stored(url, Kind.PROFILE)

    published, served = asyncio.run(publish_and_read())

    assert len(opening) == published
    assert profiles == served


def test_a_publisher_changes_its_connection_before_the_relay_cuts_it(monkeypatch):
    monkeypatch.setattr(publisher_module, "EVENTS_PER_CONNECTION", 5)
    events = EventGenerator(seed="tests").opening(int(time.time()))[:23]
    connections = []

    class CountingPublisher(Publisher):
        async def connect(self) -> nostr_sdk.Client:
            connections.append(self.published)
            return await super().connect()

    async def publish() -> int:
        async with local_relay(port=free_port()) as url, CountingPublisher(url) as publisher:
            for event in events:
                await publisher.publish(event)
            return publisher.published

    published = asyncio.run(publish())

    assert 23 == published
    assert [0, 5, 10, 15, 20] == connections


def test_a_refused_event_does_not_stop_the_publisher():
    generator = EventGenerator(seed="tests")
    profile, other = generator.opening(int(time.time()))[:2]
    forged = nostr_sdk.Event.from_json(profile.as_json().replace("Here for", "Away for"))

    async def publish() -> list[bool]:
        async with local_relay(port=free_port()) as url, Publisher(url) as publisher:
            return [await publisher.publish(event) for event in (profile, forged, other)]

    accepted = asyncio.run(publish())

    assert [True, False, True] == accepted


def test_the_command_publishes_until_it_is_told_to_stop():
    port = free_port()
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "demo_relay"]

    process = subprocess.Popen(
        [*command, "--port", str(port), "--rate", "20"],
        env={**os.environ, "SECRET_KEY": "tests", "LOG_JSON": "false"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = []
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "opening_published" in line:
                break
        reactions = asyncio.run(stored(f"ws://127.0.0.1:{port}", Kind.REACTION))
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    finally:
        process.kill()

    assert len(reactions) > 100, said
    assert "relay_stopped" in rest
    assert 0 == process.returncode


def test_a_taken_port_is_told_in_one_sentence():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        async def run() -> None:
            async with local_relay(port=port):
                pass

        with pytest.raises(nostr_sdk.NostrSdkError, match="in use"):
            asyncio.run(run())
