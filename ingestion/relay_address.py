"""What an address of a relay looks like; pure."""

from __future__ import annotations

from urllib.parse import urlsplit

WHAT_IT_IS = "ws:// or wss://, without spaces, name or password"


def is_relay_address(url: str) -> bool:
    """Whether it is one that may be shown: logs, metrics and the admin name relays by it."""
    if url != "".join(url.split()):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"ws", "wss"}
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        return False
