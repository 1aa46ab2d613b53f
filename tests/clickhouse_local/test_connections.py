"""Many clients at once, rude ones among them."""

from __future__ import annotations

import multiprocessing
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_driver import Client
from clickhouse_driver.block import RowOrientedBlock
from clickhouse_driver.errors import ServerException
from clickhouse_driver.varint import write_varint

from .conftest import PASSWORD, LocalServer

# Not in the driver's list.
AUTHENTICATION_FAILED = 516


def insert_and_count(port: int, worker: int) -> int:
    """Ten inserts of ten rows and ten questions on one connection; the rows of this worker."""
    client = Client("127.0.0.1", port, password=PASSWORD, database="test")
    with client:
        for batch in range(10):
            rows = [(worker, batch * 10 + number, "x" * number) for number in range(10)]
            client.execute("INSERT INTO t (worker, number, text) VALUES", rows)
            client.execute("SELECT count() FROM t")
        return int(client.execute(f"SELECT count() FROM t WHERE worker = {worker}")[0][0])


@pytest.fixture
def table(client: Client) -> str:
    client.execute(
        "CREATE TABLE t (worker UInt8, number UInt32, text String)"
        " ENGINE = MergeTree ORDER BY (worker, number)"
    )
    return "t"


def test_eight_threads_do_not_disturb_each_other(server, client: Client, table: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda worker: insert_and_count(server.port, worker), range(8)))

    assert [100] * 8 == counts
    assert [(800,)] == client.execute("SELECT count() FROM t")


def test_forked_workers_do_not_disturb_each_other(server, client: Client, table: str) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        counts = pool.starmap(insert_and_count, [(server.port, worker) for worker in range(4)])

    assert [100] * 4 == counts
    assert [(400,)] == client.execute("SELECT count() FROM t")


def test_a_wrong_password_is_refused(server: LocalServer) -> None:
    for login in ({"password": "wrong"}, {"password": ""}, {"user": "nobody"}):
        with server.client(**login) as client, pytest.raises(ServerException) as refused:
            client.execute("SELECT 1")
        assert AUTHENTICATION_FAILED == refused.value.code
    assert PASSWORD not in server.log.read_text()


def running_queries(client: Client, mark: str) -> int:
    rows = client.execute(
        "SELECT count() FROM system.processes WHERE query LIKE {mark:String} AND query NOT LIKE"
        " '%system.processes%'",
        {"mark": f"%{mark}%"},
    )
    return int(rows[0][0])


def wait_until_none_runs(client: Client, mark: str) -> None:
    deadline = time.monotonic() + 10
    while running_queries(client, mark):
        assert time.monotonic() < deadline, "the query is still running"
        time.sleep(0.05)


def test_a_query_whose_client_left_is_killed(server, client: Client) -> None:
    leaver = server.client()
    rows = leaver.execute_iter(
        "SELECT number AS left_alone, sleepEachRow(0.05) FROM numbers(100000)"
        " SETTINGS max_block_size = 1"
    )
    next(rows)
    assert 1 == running_queries(client, "left_alone")

    leaver.disconnect()

    wait_until_none_runs(client, "left_alone")
    assert [(1,)] == client.execute("SELECT 1")


def test_a_query_that_has_sent_nothing_yet_is_killed_too(server, client: Client) -> None:
    leaver = server.client()
    leaver.connection.force_connect()
    leaver.connection.send_query("SELECT count() AS silent FROM numbers(1000000000000)")
    leaver.connection.send_external_tables([])
    deadline = time.monotonic() + 10
    while not running_queries(client, "silent") and time.monotonic() < deadline:
        time.sleep(0.02)

    leaver.disconnect()

    wait_until_none_runs(client, "silent")


def test_a_cancelled_query_ends_and_the_connection_goes_on(server, client: Client) -> None:
    with server.client() as canceller:
        rows = canceller.execute_iter(
            "SELECT number AS cancelled, sleepEachRow(0.05) FROM numbers(100000)"
            " SETTINGS max_block_size = 1"
        )
        next(rows)

        canceller.cancel()

        assert [(1,)] == canceller.execute("SELECT 1")
        wait_until_none_runs(client, "cancelled")


@pytest.mark.parametrize("reset", [True, False])
def test_an_insert_that_is_cut_off_commits_nothing(
    server, client: Client, table: str, reset: bool
) -> None:
    leaver = server.client(database="test")
    leaver.execute("SELECT 1")
    leaver.connection.send_query("INSERT INTO t (worker, number, text) VALUES")
    leaver.connection.send_external_tables([])
    sample = leaver.receive_sample_block()
    # A whole block of rows, acknowledged, and the start of another; never the empty last one.
    rows = [(1, number, "x") for number in range(1000)]
    leaver.connection.send_data(RowOrientedBlock(sample.columns_with_types, rows))
    leaver.receive_profile_events()
    write_varint(2, leaver.connection.fout)
    leaver.connection.fout.flush()

    if reset:
        leaver.connection.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        leaver.connection.socket.close()
    leaver.disconnect()

    time.sleep(0.2)
    assert [(0,)] == client.execute("SELECT count() FROM t")


@pytest.mark.parametrize(
    "first_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" + b"\xff" * 100,
        b"\x00\x0aClickHouse" + b"\xff" * 20,
        b"\x01",
        b"",
    ],
)
def test_noise_instead_of_a_hello_harms_nobody(server, client: Client, first_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as noise:
        noise.sendall(first_bytes)
        noise.shutdown(socket.SHUT_WR)
        while noise.recv(4096):
            pass

    assert [(1,)] == client.execute("SELECT 1")


def test_a_client_may_ping_and_stay_idle(client: Client) -> None:
    client.execute("SELECT 1")

    time.sleep(0.5)

    assert client.connection.ping()
