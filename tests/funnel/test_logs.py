"""Log lines: JSON for machines, with the request's id, and never a local variable."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from funnel.logs import configure

# In a process of its own, because logging is set up once for all.
SCRIPT = """
import logging
import structlog
from funnel.logs import configure

configure({"level": "INFO", "json": True})
structlog.contextvars.bind_contextvars(request_id="trace-1")
structlog.get_logger("ours").info("batch_written", rows=3)
structlog.get_logger("ours").debug("left_out")
logging.getLogger("library").warning("said %s", "so")
password = "hunter2"
try:
    raise RuntimeError("broken")
except RuntimeError:
    logging.getLogger("django.request").error("Internal Server Error", exc_info=True)
logging.getLogger("django.request").warning("Not Found: /private")
"""


@pytest.fixture(scope="module")
def lines():
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert "" == process.stdout
    return [json.loads(line) for line in process.stderr.splitlines()]


def test_a_line_carries_its_fields_and_what_is_bound(lines):
    line = dict(lines[0])

    assert line.pop("timestamp").endswith("Z")
    assert {
        "event": "batch_written",
        "rows": 3,
        "level": "info",
        "logger": "ours",
        "request_id": "trace-1",
    } == line


def test_a_library_s_line_looks_like_ours(lines):
    assert "said so" == lines[1]["event"]
    assert "warning" == lines[1]["level"]
    assert "library" == lines[1]["logger"]
    assert "trace-1" == lines[1]["request_id"]


def test_a_traceback_shows_no_local_variable(lines):
    assert "RuntimeError: broken" in lines[2]["exception"]
    assert "hunter2" not in json.dumps(lines[2])


def test_nothing_else_is_said(lines):
    assert 3 == len(lines)


def test_on_a_terminal_a_line_is_for_people():
    script = SCRIPT.replace('"json": True', '"json": False')

    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    first, *_ = process.stderr.splitlines()
    assert "batch_written" in first
    assert "rows=3" in first
    assert "request_id=trace-1" in first
    assert "{" not in first
    assert "hunter2" not in process.stderr


def test_an_unknown_level_stops_the_start_with_one_sentence():
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL is malformed"):
        configure({"level": "LOUD", "json": True})
