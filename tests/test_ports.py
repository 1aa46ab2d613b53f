"""A port is given out once, here and in any other process that runs at the same time."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests import ports
from tests.ports import free_port, free_ports


def test_a_port_is_given_out_once_and_never_by_the_system():
    given = free_ports(50)

    assert 50 == len(set(given))
    # Binding to port 0 takes one from this range, as does every connection that is made.
    first_of_the_system = 32_768
    assert max(given) < first_of_the_system


def test_what_one_process_was_given_another_one_is_not():
    ours = free_port()
    asked = (
        "from tests import ports\n"
        f"ports.FIRST = ports.LAST = {ours}\n"
        "try:\n    print(ports.free_port())\n"
        "except AssertionError as none:\n    print(none)\n"
    )

    other = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=Path(settings.BASE_DIR),
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"none of the ports from {ours} to {ours} is free\n" == other.stdout


def test_a_port_where_somebody_listens_is_not_given_out(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(ports, "FIRST", port)
        monkeypatch.setattr(ports, "LAST", port)

        with pytest.raises(AssertionError, match=f"none of the ports from {port}"):
            free_port()
