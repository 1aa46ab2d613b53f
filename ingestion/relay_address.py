"""What an address of a relay looks like; pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_relay_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
