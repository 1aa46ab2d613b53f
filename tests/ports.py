"""Ports for servers that tests and benches start and that have to be told where to listen.

A port that the system gave out and that is free again may be given out once more before its server
listens: to another test process, or as the near end of any connection. So ports come from below
those that the system gives out by itself (32768 on Linux, 49152 elsewhere), and one that was taken
here is no other process's as long as this one runs.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 12_000, 32_767
# Locks of a file's bytes end with the process, however it ends; byte N stands for port N.
CLAIMS = Path(tempfile.gettempdir()) / f"funnel-test-ports-{os.getuid()}"

_claims: int | None = None
_taken: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, given out once."""
    global _claims
    if _claims is None:
        _claims = os.open(CLAIMS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if port not in _taken and _claim(_claims, port) and _is_free(port):
            _taken.add(port)
            return port
    raise AssertionError(f"none of the ports from {FIRST} to {LAST} is free")


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


def _claim(claims: int, port: int) -> bool:
    try:
        fcntl.lockf(claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
