"""How long to wait before trying again; pure but for the dice."""

from __future__ import annotations

import random
from collections.abc import Iterator


def delays(first_seconds: float, longest_seconds: float) -> Iterator[float]:
    """Seconds: doubled each time up to the longest, each a random half less.

    The jitter keeps workers that failed together from coming back together.
    """
    delay = first_seconds
    while True:
        yield delay * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        delay = min(delay * 2, longest_seconds)
