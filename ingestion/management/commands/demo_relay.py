"""`manage.py demo_relay`: a relay on loopback whose invented community never stops posting."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Any

import nostr_sdk
import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.demo.generator import EventGenerator
from ingestion.demo.publisher import Publisher
from ingestion.demo.relay import local_relay

log = structlog.get_logger(__name__)

# A breath each second lets the relay's own message allowance refill.
TICK_SECONDS = 1


class Command(BaseCommand):
    help = "Serves generated, really signed events on a local relay until SIGTERM or Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=7777, help="default: 7777")
        parser.add_argument(
            "--rate", type=int, default=8, help="events a second after the opening; default: 8"
        )
        parser.add_argument("--seed", default="", help="default: another one in every run")

    def handle(self, *args: Any, port: int, rate: int, seed: str, **options: Any) -> None:
        try:
            asyncio.run(serve(port=port, rate=rate, seed=seed or str(time.time_ns())))
        except nostr_sdk.NostrSdkError as error:
            raise CommandError(f"The relay on port {port} stopped: {error}") from error


async def serve(*, port: int, rate: int, seed: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with local_relay(port=port) as url, Publisher(url) as publisher:
        log.info("relay_started", url=url, seed=seed)
        generator = EventGenerator(seed=seed)
        for event in generator.opening(int(time.time())):
            await publisher.publish(event)
        log.info("opening_published", events=publisher.published)
        while not stopping.is_set():
            for _ in range(rate):
                await publisher.publish(generator.next_event(int(time.time())))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), TICK_SECONDS)
    log.info("relay_stopped", events=publisher.published)
