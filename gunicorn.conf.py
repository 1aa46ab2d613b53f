"""How gunicorn serves the API: workers with threads, and logs left to the middleware."""

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.http import message

# Where the workers put their numbers together. Before prometheus_client is imported, which looks
# once whether there is such a place. A master that takes over from this one (USR2) starts from the
# environment as it was, and so has a place of its own.
MADE_HERE = "funnel-metrics-"
if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=MADE_HERE)
NUMBERS = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])

from prometheus_client import multiprocess  # noqa: E402

wsgi_app = "funnel.wsgi:application"
worker_class = "gthread"
# Each thread holds one connection to ClickHouse. More workers, one for each core that is the
# API's: WEB_CONCURRENCY or --workers. By bench/gunicorn_settings.py, 1 or 2 workers of 4 or 8
# threads give about 1,600 kept answers for each second of processor time, four workers on two
# cores 1,400, and so do sync workers, each of which a slow question would hold up. Eight threads:
# the workers share connections unevenly, and a client for whom no thread is left waits for all of
# somebody else's answer.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# Longer than the slowest query may take (CLICKHOUSE_READ_SECONDS), so that its error gets out.
timeout = 30
graceful_timeout = 20
# A proxy in front closes its idle connections sooner; the other way round it would now and then
# send a request into one that is just being closed here.
keepalive = 75
accesslog = None
# A search may be 10 kB of any script, thrice that when percent-encoded; gunicorn by itself offers
# 8,190 bytes at most, or no limit at all.
message.MAX_REQUEST_LINE = limit_request_line = 65_536


def on_starting(server: Any) -> None:
    """Forgets the numbers of an earlier run, which prometheus_client would add to this one's."""
    NUMBERS.mkdir(parents=True, exist_ok=True)
    for numbers in NUMBERS.glob("*.db"):
        numbers.unlink()


def post_worker_init(worker: Any) -> None:
    """Takes what the application consists of out of garbage collection.

    A full collection looked at all of its 130,000 objects: 40 ms during which no thread answers.
    """
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if NUMBERS.name.startswith(MADE_HERE):
        shutil.rmtree(NUMBERS, ignore_errors=True)
