"""Child processes end with their parent, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.demo.processes import ChildDied, Children, Stopped

# Says its process id and that of a child of its own, which shares its process group.
FAMILY = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(grandchild.pid, flush=True)
time.sleep(60)
"""
# Signs the visitors' book when told to go.
POLITE = """
import signal, sys, time
def leave(*_):
    with open(sys.argv[1], "a") as book:
        book.write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
# Starts two children and waits; killed by the test.
PARENT = """
import os, sys, time
from pathlib import Path
from ingestion.demo.processes import Children
children = Children(environment=os.environ, log_directory=Path(sys.argv[1]), stop_seconds=5)
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
print(*(children.start(name, sleep).process.pid for name in ("one", "two")), flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        # A zombie has ended; only its number waits for the parent.
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return status != "Z"


def eventually_gone(*pids: int) -> bool:
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def log_of(children: Children, name: str) -> str:
    path = children.log_directory / f"{name}.log"
    deadline = time.monotonic() + 10
    while not path.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    return path.read_text()


@pytest.fixture
def children(tmp_path) -> Iterator[Children]:
    children = Children(environment=os.environ, log_directory=tmp_path, stop_seconds=2)
    yield children
    children.stop()


def test_a_death_is_told_with_the_last_lines(children):
    children.start("talker", python("print('good morning'); print('no more'); raise SystemExit(3)"))

    with pytest.raises(ChildDied) as death:
        children.watch()

    assert "talker ended with exit code 3" in str(death.value)
    assert str(death.value).endswith("good morning\nno more")


def test_a_program_that_ends_well_is_no_death(children):
    children.run("short", python("print('done')"))

    assert [] == children.running
    assert "done\n" == log_of(children, "short")


def test_a_program_that_fails_is_told(children):
    with pytest.raises(ChildDied, match="short ended with exit code 1"):
        children.run("short", python("raise SystemExit(1)"))


def test_what_does_not_come_true_in_time_is_told(children):
    with pytest.raises(ChildDied, match=r"The sea is dry: not within 0 seconds\."):
        children.wait_until(lambda: False, seconds=0.2, what="The sea is dry")


def test_a_wait_ends_when_a_child_dies_meanwhile(children):
    children.start("short", python("raise SystemExit(4)"))

    with pytest.raises(ChildDied, match="short ended with exit code 4"):
        children.wait_until(lambda: False, seconds=30, what="never")


def test_a_request_to_stop_ends_every_wait(children):
    children.request_stop()

    with pytest.raises(Stopped):
        children.watch()
    with pytest.raises(Stopped):
        children.run("sleeper", python("import time; time.sleep(60)"))


def test_stopping_takes_the_children_of_children_too(children):
    child = children.start("family", python(FAMILY))
    grandchild = int(log_of(children, "family"))

    children.stop()

    assert eventually_gone(child.process.pid, grandchild)


def test_a_child_that_does_not_listen_is_killed(children):
    child = children.start("deaf", python(DEAF))
    log_of(children, "deaf")

    children.stop()

    assert eventually_gone(child.process.pid)


def test_the_newest_child_is_stopped_first(children, tmp_path):
    book = tmp_path / "book"
    for name in ("1", "2", "3"):
        children.start(name, [*python(POLITE), str(book), name])
        log_of(children, name)

    children.stop()

    assert "321" == book.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_no_child_outlives_a_killed_parent(tmp_path):
    parent = subprocess.Popen([*python(PARENT), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]

    parent.kill()
    parent.communicate()

    assert len(pids) == 2
    assert eventually_gone(*pids)
