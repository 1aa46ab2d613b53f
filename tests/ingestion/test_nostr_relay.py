"""The relay of the PyPI package nostr-relay as a source.

Its `until` excludes and must lie before 2038, and an empty filter brings nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from websockets.asyncio.client import connect

from tests.builders import T, a_note, alice, bob, carol
from tests.ingestion.test_ingest_relay import (
    cursors,
    end_of,
    environment,
    ingesting,
    publish,
    relay_state,
    running,
    stored_ids,
    until,
)
from tests.ingestion.test_sync import ids, run
from tests.ports import free_port

__all__ = ["environment"]

CONFIG = """
storage:
  sqlalchemy.url: sqlite+aiosqlite:///{directory}/relay.sqlite3
  validators: [nostr_relay.validators.is_signed]
gunicorn:
  bind: 127.0.0.1:{port}
  workers: 1
  loglevel: warning
max_limit: {cap}
"""


@contextlib.asynccontextmanager
async def nostr_relay(directory: Path, *, cap: int) -> AsyncIterator[str]:
    """Runs it in a process of its own and gives its address."""
    port = free_port()
    config = directory / "nostr-relay.yaml"
    config.write_text(CONFIG.format(directory=directory, port=port, cap=cap))
    program = Path(sys.executable).with_name("nostr-relay")
    # By the interpreter: the program names the place where it was installed, which may have moved.
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, "-c", config, "serve", cwd=directory
    )
    url = f"ws://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    await (await connect(url)).close()
                    break
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def test_the_relay_of_the_package_nostr_relay_is_read_completely(clickhouse, environment, tmp_path):
    """Three events a second, so that nearly every page ends within one; and live ones.

    It takes no `until` after 2037.
    """
    stored = [a_note(by, f"{n}", at=n) for n in range(80) for by in (alice, bob, carol)]
    live = [a_note(bob, f"live {n}", at=int(time.time()) - T) for n in range(5)]

    async def scenario() -> None:
        async with nostr_relay(tmp_path, cap=50) as url:
            await publish(url, stored)
            async with ingesting(environment, "--until-caught-up", "--relay", url) as worker:
                assert 0 == await end_of(worker)
            assert ids(*stored) == sorted(set(stored_ids(clickhouse)))
            assert cursors(environment)

            async with ingesting(environment, "--relay", url) as worker:
                await until(lambda: relay_state(environment) == "live")
                await publish(url, live)
                await until(lambda: len(set(stored_ids(clickhouse))) == len(stored) + 5)
                worker.send_signal(signal.SIGTERM)
                assert 0 == await end_of(worker)
            async with running(environment, "reconcile_relay", "--relay", url) as reconciling:
                assert 0 == await end_of(reconciling)

    run(scenario())

    assert ids(*stored, *live) == sorted(set(stored_ids(clickhouse)))
