"""The one thread in which the worker talks to ClickHouse and to Django's database."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import close_old_connections
from django.db import connections as database_connections

T = TypeVar("T")

Job = tuple[concurrent.futures.Future[Any], Callable[[], Any]]


class StorageThread:
    """Runs blocking calls in the order in which they were given.

    The order is what makes a cursor safe: it is saved after the events that it covers. The thread
    is a daemon, unlike an executor's, so that a call which hangs cannot hold up the process's end.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="storage", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """What the function returns or raises, to be awaited in the running loop."""
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._jobs.put((done, function))
        return asyncio.wrap_future(done)

    def stop(self, timeout_seconds: float) -> None:
        """Ends the thread after the calls that it already has, waiting no longer than that."""
        self._jobs.put(None)
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            done, function = job
            if not done.set_running_or_notify_cancel():
                continue
            try:
                # As between two requests: a connection that the server has dropped is renewed.
                close_old_connections()
                result = function()
            except BaseException as error:  # whatever it is, it belongs to who asked
                done.set_exception(error)
            else:
                done.set_result(result)
        database_connections.close_all()
