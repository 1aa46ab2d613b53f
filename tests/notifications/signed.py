"""Requests of somebody who signs them, as apps ask for notifications."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings

from tests.builders import Author, T, alice
from tests.published import NOW
from tests.signed_requests import header_of, proof

SITE = "https://funnel.example"
OWN_PATH = f"/api/users/{alice.pubkey}/notifications"


def asked(
    api: Any,
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    *,
    by: Author | None = alice,
) -> Any:
    """The answer to a request that `by` has signed, or nobody."""
    assert settings.PUBLIC_URL == SITE
    signed = by and proof(SITE + target, method, by=by, at=NOW - T, body=body)
    return api.generic(
        method,
        target,
        body or b"",
        content_type="application/json",
        headers=header_of(signed) if signed else {},
    )


def page(api: Any, query: str = "", *, by: Author = alice) -> dict[str, Any]:
    """What `by` is told."""
    answer = asked(api, f"/api/users/{by.pubkey}/notifications{query}", by=by)
    assert 200 == answer.status_code, answer.content
    found: dict[str, Any] = answer.json()
    return found


def marked(api: Any, body: dict[str, Any], *, by: Author = alice) -> int:
    """How many `by` has marked as read by that."""
    path = f"/api/users/{by.pubkey}/notifications/read"
    answer = asked(api, path, "POST", orjson.dumps(body), by=by)
    assert 200 == answer.status_code, answer.content
    assert {"success", "marked_count"} == answer.json().keys()
    assert answer.json()["success"] is True
    count: int = answer.json()["marked_count"]
    return count
