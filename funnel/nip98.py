"""Who asks: the signed event that stands for a password in an HTTP request (NIP-98). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from funnel.nostr import Event, InvalidEvent, Kind, verified_event

# How far the event's time may be from ours, either way (NIP-98 suggests 60).
WINDOW_SECONDS = 60
# An event can be shown again from a window before its time to a window after it; one more for the
# clocks of several machines.
REPLAY_SECONDS = 3 * WINDOW_SECONDS
# Ten times what an event with a long URL takes; nobody's megabyte is hashed.
MAX_TOKEN_CHARACTERS = 16_384


class InvalidProof(ValueError):
    """The header proves nobody; the message says why, in words that may be shown."""


def proof_of(token: str, *, url: str, method: str, body: bytes, now: int) -> Event:
    """The event in the base64 `token`, checked against the request; its pubkey is who asks.

    url: the absolute URL as the client wrote it, its query included and not encoded again.
    Raises InvalidProof. Whether the event was shown before is not looked at.
    """
    event = signed_event(token)
    if event.kind != Kind.HTTP_AUTH:
        raise InvalidProof(f"the event must be of kind {Kind.HTTP_AUTH:d}")
    if abs(event.created_at - now) > WINDOW_SECONDS:
        raise InvalidProof(f"the event must be at most {WINDOW_SECONDS} seconds old")
    if event.first_tag("u") != url:
        raise InvalidProof("the tag u must be the absolute URL of the request, with its query")
    if event.first_tag("method") != method:
        raise InvalidProof("the tag method must be the method of the request")
    payload = event.first_tag("payload")
    # Without it, whoever sees the header could send another body with it.
    if (body or payload is not None) and payload != hashlib.sha256(body).hexdigest():
        raise InvalidProof("the tag payload must be the sha256 of the body, in hex")
    return event


def signed_event(token: str) -> Event:
    """The event that the token encodes, its id and its signature checked."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise InvalidProof("the event is too long")
    unpadded = token.rstrip("=")
    try:
        # Padding is optional: the NIP's own example has none.
        raw = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
        return verified_event(orjson.loads(raw))
    except (binascii.Error, ValueError) as error:
        # InvalidEvent and JSONDecodeError are ValueErrors too; only the first may be shown.
        reason = f" ({error.reason})" if isinstance(error, InvalidEvent) else ""
        raise InvalidProof(f"the header must hold a signed event in base64{reason}") from error
