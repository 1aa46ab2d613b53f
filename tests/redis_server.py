"""A real Redis for the tests of what processes share."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
import redis
from redis.exceptions import RedisError

from tests.ports import free_port

START_SECONDS = 10


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis on loopback that nobody else uses."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), "--save", ""],
        cwd=tmp_path_factory.mktemp("redis"),
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(url) as client:
            while True:
                try:
                    client.ping()
                    break
                except RedisError:
                    assert time.monotonic() < deadline, "redis-server does not answer"
                    time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same, empty."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server
