"""The benches start; what they measure is for a quiet machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("module", ["bench.ingest", "tests.chaos"])
def test_it_starts_by_itself(module):
    """Without Django's apps, as `make bench` and `make chaos` start it."""
    started = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 0 == started.returncode, started.stderr
    assert "--events" in started.stdout
