"""Ends the queries of clients that cancelled them or left: nobody is waiting for the answer."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

import structlog

from .protocol import ClientPacket, QueryError

log = structlog.get_logger()

WATCH_SECONDS = 0.2


class RunningQuery:
    """One query that somebody should be waiting for; `abandoned` once nobody is."""

    def __init__(self, client: socket.socket, kill: Callable[[], None]) -> None:
        self.abandoned = False
        self._client = client
        self._kill = kill
        self._over = False
        self._lock = Lock()

    def end(self) -> None:
        # Waits for a kill under way, which could otherwise hit the session's next query.
        with self._lock:
            self._over = True

    def check(self) -> None:
        if self.abandoned or is_abandoned(self._client):
            self.abandoned = True
            self.kill()

    def kill(self) -> None:
        with self._lock:
            if self._over:
                return
            try:
                self._kill()
            except QueryError as error:
                # Such as no memory left: the next round tries again.
                log.warning("kill_failed", code=error.code)


class Watchdog:
    """A thread that looks at the sockets of running queries every WATCH_SECONDS."""

    def __init__(self) -> None:
        self._running: set[RunningQuery] = set()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    @contextmanager
    def watching(self, client: socket.socket, kill: Callable[[], None]) -> Iterator[RunningQuery]:
        query = RunningQuery(client, kill)
        self._running.add(query)
        try:
            yield query
        finally:
            self._running.discard(query)
            query.end()

    def kill_all(self) -> None:
        for query in self._running.copy():
            query.kill()

    def _run(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            for query in self._running.copy():
                query.check()


def is_abandoned(client: socket.socket) -> bool:
    """Whether the client has left, or asks to cancel with what it sent last."""
    poll = select.poll()
    try:
        poll.register(client, select.POLLIN)
        if not poll.poll(0):
            return False
        return client.recv(1, socket.MSG_PEEK) in (b"", bytes([ClientPacket.CANCEL]))
    except (OSError, ValueError):
        return True
