"""Two workers and their threads ask ClickHouse once for what two hundred clients want."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.builders import a_video
from tests.gunicorn_service import get, serving, total
from tests.published import publish

CLIENTS = 200
TARGET = "/api/videos?sort=recent&period=all"
QUESTIONS = (
    'api_clickhouse_query_duration_seconds_count{endpoint="videos",query="videos.feed_recent"}'
)


def test_a_stampede_on_two_workers_asks_clickhouse_once(clickhouse, redis_url, tmp_path):
    publish(a_video())

    keeping = {"CACHE_URL": redis_url, "CACHE_MEMORY_MB": "8"}
    keeping |= {"CACHE_LIST_SECONDS": "3600", "CACHE_FRESH_SECONDS": "3600"}
    with serving(tmp_path, **keeping) as (port, _):
        with ThreadPoolExecutor(32) as clients:
            answers = list(clients.map(lambda _: get(port, TARGET), range(CLIENTS)))
        page = get(port, "/metrics")[2]

    assert {200} == {status for status, _, _ in answers}
    assert 1 == len({body for _, _, body in answers})
    assert 1 == len({headers["ETag"] for _, headers, _ in answers})
    assert 1 == total(page, QUESTIONS)
    assert 1 == total(page, 'api_answers_total{source="computed"}')
    assert CLIENTS == total(page, "api_answers_total{")
