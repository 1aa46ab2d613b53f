"""A relay on loopback with its events in memory: nostr-sdk's, with the rate limit lifted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nostr_sdk

from ingestion.demo.ports import HOST

# nostr-sdk's own default is 60 events a minute, too few for a demo's opening.
EVENTS_PER_MINUTE = 1_000_000
SUBSCRIPTIONS = 500


@asynccontextmanager
async def local_relay(*, port: int) -> AsyncIterator[str]:
    """Runs the relay for as long as the context lasts and gives its ws:// address.

    It keeps the newest 75,000 events and answers a REQ with 500 at most. A subscriber that reads
    too slowly misses live events without notice: it is no yardstick for loss.

    Raises nostr_sdk.NostrSdkError when the port is taken.
    """
    builder = nostr_sdk.LocalRelayBuilder().addr(HOST).port(port)
    builder = builder.rate_limit(
        nostr_sdk.RateLimit(max_reqs=SUBSCRIPTIONS, notes_per_minute=EVENTS_PER_MINUTE)
    )
    relay = builder.build()
    await relay.run()
    try:
        yield f"ws://{HOST}:{port}"
    finally:
        relay.shutdown()
