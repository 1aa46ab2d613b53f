"""What a relay has and we have not, by set reconciliation (NIP-77).

nostr-sdk tells the difference and is not asked to fetch it: its transfer ends with success after a
few hundred events. What is missing is fetched by id in our own dialogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

import nostr_sdk

from ingestion.gaps import Span

CONNECT_SECONDS = 10
# A relay that knows nothing of NIP-77 may say nothing at all.
ANSWER_SECONDS = 5
# Beginnings of what a relay says that knows NIP-77 and will not compare so much at once.
REFUSALS = ("blocked", "closed", "error", "rate-limited")


class NegentropyUnsupported(Exception):
    """The relay does not answer as NIP-77 says, or not to us."""


class SpanRefused(Exception):
    """The relay does not compare so many events at once, or has given up in the middle."""


class Negentropy:
    """A connection of its own to one relay; it lasts as long as the block."""

    def __init__(self, url: str, *, kinds: Sequence[int] | None) -> None:
        """`kinds`: those to compare, None for all."""
        self._url = url
        self._kinds = None if kinds is None else [nostr_sdk.Kind(kind) for kind in kinds]
        self._client = nostr_sdk.Client()

    async def __aenter__(self) -> Self:
        """Raises NegentropyUnsupported for an address that nostr-sdk does not understand."""
        try:
            await self._client.add_relay(nostr_sdk.RelayUrl.parse(self._url))
            # Whether it is connected is seen at the first question.
            await self._client.connect(and_wait=timedelta(seconds=CONNECT_SECONDS))
        except nostr_sdk.NostrSdkError as error:
            await self._client.shutdown()
            raise NegentropyUnsupported(str(error)) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.shutdown()

    async def missing(self, span: Span, ours: Iterable[tuple[str, int]]) -> list[str]:
        """Ids of the relay's events of that span that are not among `ours`, each (id, created_at).

        Raises SpanRefused or NegentropyUnsupported. What the relay lacks means nothing.
        """
        since, until = map(nostr_sdk.Timestamp.from_secs, span)
        compared = nostr_sdk.Filter().since(since).until(until)
        if self._kinds is not None:
            compared = compared.kinds(self._kinds)
        items = [
            nostr_sdk.NegentropyItem(
                id=nostr_sdk.EventId.parse(event_id),
                timestamp=nostr_sdk.Timestamp.from_secs(created_at),
            )
            for event_id, created_at in ours
        ]
        options = nostr_sdk.SyncOptions().initial_timeout(timedelta(seconds=ANSWER_SECONDS))
        try:
            relay = await self._client.relay(nostr_sdk.RelayUrl.parse(self._url))
            if relay is None:
                raise NegentropyUnsupported("not connected")
            summary = await relay.sync(compared, items, options.dry_run())
        except nostr_sdk.NostrSdkError as error:
            said = str(error).strip("'\"")  # the text comes as a literal
            if said.startswith(REFUSALS):
                raise SpanRefused(said[:200]) from error
            raise NegentropyUnsupported(said[:200]) from error
        return [event_id.to_hex() for event_id in summary.remote]
