"""Requests that a person signs (NIP-98), as apps do."""

from __future__ import annotations

import base64
import hashlib
import itertools

import orjson

from funnel.nostr import Event, Kind
from tests.builders import Author, alice, an_event, as_json

nonce = itertools.count()


def proof(
    url: str,
    method: str = "GET",
    *,
    by: Author = alice,
    at: int = 0,
    kind: int = Kind.HTTP_AUTH,
    body: bytes | None = None,
) -> Event:
    """An event as a client signs it; never the same twice."""
    tags = [("u", url), ("method", method), ("nonce", str(next(nonce)))]
    if body is not None:
        tags.append(("payload", hashlib.sha256(body).hexdigest()))
    return an_event(kind, by, tags=tags, at=at)


def header_of(event: Event, *, scheme: str = "Nostr", padded: bool = True) -> dict[str, str]:
    text = base64.b64encode(orjson.dumps(as_json(event))).decode()
    return {"Authorization": f"{scheme} {text if padded else text.rstrip('=')}"}
