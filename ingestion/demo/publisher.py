"""Sends signed events to one relay, as a client does."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType

import nostr_sdk
import structlog

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5

# nostr-sdk's local relay cuts a connection after 6,000 messages; a new one in time costs no event.
EVENTS_PER_CONNECTION = 5_000


class Publisher:
    """A connection to `url` that replaces itself; `published` counts what the relay accepted."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.published = 0
        self.sent_on_connection = 0
        self.client: nostr_sdk.Client | None = None

    async def __aenter__(self) -> Publisher:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()

    async def publish(self, event: nostr_sdk.Event) -> bool:
        """True when the relay accepted the event; a refusal is logged and nothing else."""
        if self.sent_on_connection >= EVENTS_PER_CONNECTION:
            await self.disconnect()
        client = self.client or await self.connect()
        self.sent_on_connection += 1
        try:
            outcome = await client.send_event(event)
        except nostr_sdk.NostrSdkError as error:
            log.warning("event_refused", event_id=event.id().to_hex(), reason=str(error))
            return False
        if not outcome.success:
            reason = "; ".join(outcome.failed.values())
            log.warning("event_refused", event_id=event.id().to_hex(), reason=reason)
            return False
        self.published += 1
        return True

    async def connect(self) -> nostr_sdk.Client:
        client = nostr_sdk.Client()
        await client.add_relay(nostr_sdk.RelayUrl.parse(self.url))
        await client.connect(and_wait=timedelta(seconds=CONNECT_SECONDS))
        self.client, self.sent_on_connection = client, 0
        return client

    async def disconnect(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            await client.shutdown()
