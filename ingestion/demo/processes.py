"""Child processes that end with their parent, and whose death is told with their last words."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

LAST_LINES = 12
POLL_SECONDS = 0.1

# prctl(2): the signal that a process gets when the thread that started it dies.
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A child ended that should not have, or failed at what it was started for."""


class Stopped(Exception):
    """The user asked for the end."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running program: `log_path` holds all that it has said."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path


class Children:
    """Starts programs, watches them, and stops them in the opposite order.

    Each has a session of its own, so that a terminal's Ctrl-C reaches the parent alone, and on
    Linux it is told to stop by the kernel when the parent is killed.
    """

    def __init__(
        self, *, environment: Mapping[str, str], log_directory: Path, stop_seconds: float
    ) -> None:
        self.environment = dict(environment)
        self.log_directory = log_directory
        self.stop_seconds = stop_seconds
        self.running: list[Child] = []
        self.stop_requested = False

    def request_stop(self) -> None:
        """Safe in a signal handler: only a flag, which every wait looks at."""
        self.stop_requested = True

    def start(
        self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> Child:
        """`environment` adds to what all children get."""
        log_path = self.log_directory / f"{name}.log"
        with log_path.open("wb") as log_file:
            process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                arguments,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        child = Child(name, process, log_path)
        self.running.append(child)
        return child

    def run(self, name: str, arguments: Sequence[str]) -> None:
        """Waits for a program that ends by itself; raises ChildDied when it fails."""
        child = self.start(name, arguments)
        while child.process.poll() is None:
            self.breathe(besides=child)
        self.running.remove(child)
        if child.process.returncode:
            raise ChildDied(obituary(child))

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Raises ChildDied when `what` has not come true in time or somebody died meanwhile."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise ChildDied(f"{what}: not within {seconds:.0f} seconds.")
            self.breathe()

    def watch(self) -> NoReturn:
        """Raises Stopped when the user asks for the end, ChildDied when a child ends before."""
        while True:
            self.breathe()

    def breathe(self, *, besides: Child | None = None) -> None:
        if self.stop_requested:
            raise Stopped
        for child in self.running:
            if child is not besides and child.process.poll() is not None:
                raise ChildDied(obituary(child))
        time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """SIGTERM, newest first; whoever has not ended in `stop_seconds` is killed."""
        for child in reversed(self.running):
            child.process.terminate()
            try:
                child.process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            # What the child itself left behind: it leads the group of this number.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
        self.running.clear()


def end_with_parent() -> Callable[[], None] | None:
    """What a child does before its program starts; None where the kernel has no such thing."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    # Loaded here: between fork and exec there must be no import.
    prctl = ctypes.CDLL(None).prctl

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def obituary(child: Child) -> str:
    with child.log_path.open(encoding="utf-8", errors="replace") as log_file:
        last_lines = "".join(deque(log_file, LAST_LINES)).rstrip()
    how = child.process.returncode
    manner = f"by signal {-how}" if how < 0 else f"with exit code {how}"
    return f"{child.name} ended {manner}. Its last lines ({child.log_path}):\n{last_lines}"
