"""Requests to vanish (NIP-62): whom they concern and what they keep out; pure."""

from __future__ import annotations

from collections.abc import Iterable

from funnel.nostr import FUTURE_TOLERANCE_SECONDS, Event, Kind, relay_place

ALL_RELAYS = "ALL_RELAYS"


class VanishBarriers:
    """For each pubkey the second up to which nothing of it is accepted any more."""

    def __init__(self, own_addresses: Iterable[str]) -> None:
        self._own = {relay_place(address) for address in own_addresses if address}
        self._until: dict[str, int] = {}

    def raise_to(self, pubkey: str, until: int) -> bool:
        """Whether that is higher than the barrier was; one that is raised never sinks again."""
        if until <= self._until.get(pubkey, -1):
            return False
        self._until[pubkey] = until
        return True

    def bars(self, event: Event) -> bool:
        """Whether the event must not be stored. The requests themselves are kept as the proof."""
        return event.kind != Kind.VANISH and event.created_at <= self._until.get(event.pubkey, -1)

    def concerns_us(self, event: Event, now: int) -> bool:
        """Whether the event is a request to vanish from here that is in force at `now`.

        One from the future waits; whoever computes what is due by then raises its barrier.
        """
        if event.kind != Kind.VANISH or event.created_at > now + FUTURE_TOLERANCE_SECONDS:
            return False
        return any(
            tag[1] == ALL_RELAYS or relay_place(tag[1]) in self._own
            for tag in event.tags
            if tag[0] == "relay" and len(tag) > 1
        )
