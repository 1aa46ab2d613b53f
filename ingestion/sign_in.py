"""Signing in to a relay that asks who we are (NIP-42)."""

from __future__ import annotations

from typing import Any

import nostr_sdk
import orjson

from funnel.nostr import Kind


class InvalidSecretKey(ValueError):
    """The configured key is none; the message does not repeat it."""


class RelayIdentity:
    """The key with which the worker signs in; it is never shown."""

    def __init__(self, secret_key: str) -> None:
        """`secret_key`: nsec1… or 64 hex digits. Raises InvalidSecretKey."""
        try:
            self._keys = nostr_sdk.Keys.parse(secret_key)
        except nostr_sdk.NostrSdkError:
            raise InvalidSecretKey("expected nsec1… or 64 hex digits") from None

    def __repr__(self) -> str:
        return f"RelayIdentity({self._keys.public_key().to_hex()})"

    def answer(self, relay_url: str, challenge: str, now: int) -> dict[str, Any]:
        """The signed event of kind 22242 that answers the challenge, as JSON's object."""
        event = (
            nostr_sdk.EventBuilder(nostr_sdk.Kind(Kind.CLIENT_AUTH), "")
            .tags(
                [
                    nostr_sdk.Tag.parse(["relay", relay_url]),
                    nostr_sdk.Tag.parse(["challenge", challenge]),
                ]
            )
            .custom_created_at(nostr_sdk.Timestamp.from_secs(now))
            .finalize(self._keys)
        )
        answer: dict[str, Any] = orjson.loads(event.as_json())
        return answer
