"""Starting, refusing to start, and ending."""

from __future__ import annotations

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import PASSWORD, STOP_SECONDS, LocalServer, launch, running


def outcome(*arguments: str, tmp_path: Path, password: str = PASSWORD) -> tuple[int, str]:
    """Exit code and what an operator reads of a start that must fail."""
    log = tmp_path / "refused.log"
    process = launch(*arguments, log=log, password=password)
    return process.wait(STOP_SECONDS), log.read_text()


def test_a_second_start_on_the_same_directory_says_who_is_there(
    server: LocalServer, tmp_path: Path
) -> None:
    directory = server.log.with_suffix("")
    assert (directory / "clickhouse_local.lock").exists()

    code, text = outcome("--path", str(directory), "--port", "0", tmp_path=tmp_path)

    assert 1 == code
    expected = f"process {server.process.pid} on 127.0.0.1:{server.port}."
    assert f"{directory} is already in use by {expected}" in text
    assert "Traceback" not in text


def test_a_port_in_use_is_named(server: LocalServer, tmp_path: Path) -> None:
    code, text = outcome(
        "--path", str(tmp_path / "data"), "--port", str(server.port), tmp_path=tmp_path
    )

    assert 1 == code
    assert f"Cannot listen on port {server.port} of 127.0.0.1: Address already in use." in text
    assert "Traceback" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_beyond_loopback_nobody_listens_without_a_password(tmp_path: Path, host: str) -> None:
    path = tmp_path / "data"

    code, text = outcome(
        "--path", str(path), "--host", host, "--port", "0", tmp_path=tmp_path, password=""
    )

    assert 1 == code
    assert f"{host} can be reached from other machines: set CLICKHOUSE_PASSWORD" in text
    assert not path.exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    code, text = outcome("--path", str(tmp_path / "file"), "--port", "0", tmp_path=tmp_path)

    assert 1 == code
    assert f"{tmp_path / 'file'} cannot be used as a data directory: File exists." in text
    assert "Traceback" not in text


def test_acknowledged_rows_survive_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "data"
    rows = [(number, "x" * 100) for number in range(1000)]
    with running(path) as server, server.client() as client:
        client.execute("CREATE DATABASE d")
        client.execute("CREATE TABLE d.t (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
        client.execute("INSERT INTO d.t VALUES", rows)
        assert -signal.SIGKILL == server.end(signal.SIGKILL)

    with running(path) as server, server.client(database="d") as client:
        found = client.execute("SELECT a, s FROM t ORDER BY a")

        # And an end while a query runs: it gets its answer, idle clients are sent off.
        with ThreadPoolExecutor(1) as pool, server.client() as busy:
            busy.execute("SELECT 1")
            answer = pool.submit(busy.execute, "SELECT sleep(1), 'answered'")
            while not client.execute(
                "SELECT count() FROM system.processes WHERE query LIKE '%answered%'"
                " AND query NOT LIKE '%processes%'"
            )[0][0]:
                pass
            code = server.end(signal.SIGTERM)

            assert [(0, "answered")] == answer.result()
        assert 0 == code
        assert server.log_lines("clickhouse_local_stopped")
    assert rows == found


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server, server.client() as idle:
        idle.execute("SELECT 1")

        code = server.end(signal.SIGINT)

        assert 0 == code
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port))
