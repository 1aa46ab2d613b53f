"""Reading events by their ids, from a relay that tells which ones it has (NIP-77)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import structlog

from ingestion.dialogue import Dialogue
from ingestion.negentropy import Negentropy, NegentropyUnsupported, SpanRefused
from ingestion.pipeline import WantedKinds

log = structlog.get_logger(__name__)

# A REQ of some 17 KB, and fewer than any relay's page.
IDS_PER_REQ = 250
# So long a relay is not asked again that did not answer as NIP-77 says.
UNSUPPORTED_SECONDS = 3600.0


async def read_ids(dialogue: Dialogue, ids: Sequence[str]) -> set[str]:
    """Fetches the events with these ids. Gives the ids of which the relay sent none.

    Raises what `Dialogue.read` raises.
    """
    withheld: set[str] = set()
    for start in range(0, len(ids), IDS_PER_REQ):
        some = ids[start : start + IDS_PER_REQ]
        withheld.update(set(some) - await dialogue.fetch_ids(some))
    return withheld


class BusySeconds:
    """Reads a second of which a relay holds more than it gives at a time; for one relay."""

    def __init__(
        self, url: str, kinds: WantedKinds, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._kinds = None if kinds.only is None else sorted(kinds.only)
        self._clock = clock
        # By that clock: not asked before.
        self._not_before = -math.inf

    async def read(self, dialogue: Dialogue, second: int, known: int) -> bool:
        """Whether every event of that second was read; `known`: of so many it is known already."""
        if self._clock() < self._not_before:
            return False
        try:
            async with Negentropy(self._url, kinds=self._kinds) as negentropy:
                # As if we had none: what we do have is known again by its id.
                ids = await negentropy.missing((second, second), ())
        except NegentropyUnsupported as error:
            # Or it could not be reached just now: a worker runs for months.
            self._not_before = self._clock() + UNSUPPORTED_SECONDS
            log.info("negentropy_unsupported", relay=self._url, reason=str(error))
            return False
        except SpanRefused as error:
            log.info("negentropy_refused", relay=self._url, reason=str(error))
            return False
        return len(ids) >= known and not await read_ids(dialogue, ids)
