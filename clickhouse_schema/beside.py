"""Work that is done beside what follows."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")


class Beside:
    """Has threads whose statements may run beside each other; without them, none.

    The door that is asked in them needs a connection for each thread.
    """

    def __init__(self, threads: Executor | None = None) -> None:
        self.threads = threads

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Has the work done beside what follows, or at once where nothing can be."""
        if self.threads is not None:
            # With the id of the pass, for the log and for system.query_log.
            return self.threads.submit(contextvars.copy_context().run, work)
        done: Future[T] = Future()
        done.set_result(work())
        return done
