"""One owner per data directory: a lock that dies with its process and says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

LOCK_NAME = "clickhouse_local.lock"


class DataDirectoryRefused(Exception):
    """It cannot be used, or another process owns it; the text is a sentence for the operator."""


class DataDirectory:
    """The directory, created if need be and locked while the context lasts.

    Entering raises DataDirectoryRefused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        if "?" in str(self.path):
            raise DataDirectoryRefused(
                f"{self.path} contains a question mark, where the engine's options would begin."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self.path / LOCK_NAME
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryRefused(
                f"{self.path} cannot be used as a data directory: {error.strerror}."
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(self._descriptor, 200).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise DataDirectoryRefused(
                f"{self.path} is already in use by {owner or 'another process'}."
            ) from error
        self.describe_owner(f"process {os.getpid()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def describe_owner(self, owner: str) -> None:
        """What the next one to try is told: `… is already in use by <owner>`."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, owner.encode(), 0)
