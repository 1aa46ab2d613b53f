"""Python's search for garbage in circles, by the clock instead of by the number of objects.

Python looks for it each time that some ten thousand objects more are alive, which is each time that
a batch gathers, and finds nothing: events refer to nothing but their own values. That would be a
thirtieth of all that an event costs. Nothing is kept for longer by it but what is in a circle, such
as an error and its traceback.
"""

from __future__ import annotations

import asyncio
import gc

COLLECT_SECONDS = 30.0


async def collect_by_the_clock() -> None:
    """Until it is cancelled."""
    gc.collect()
    # What is there by now, all modules above all, stays until the end: it is not looked at again.
    gc.freeze()
    gc.disable()
    try:
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
