"""What the admin's first page says of ClickHouse, against a real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from analytics import operations
from funnel.kept_answers import forget_answers
from funnel.sql import load_query, parse_query
from tests.builders import T, a_note, a_reaction, a_video, a_view, alice, bob, carol
from tests.published import NOW, clock_at_now, publish  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("clickhouse", "clock_at_now")

DAY = 86_400

ARRIVED = parse_query(
    "tests.arrived",
    """-- The minute in which something arrived last.
    SELECT toUnixTimestamp(toStartOfMinute(max(inserted_at))) AS minute FROM arrivals
    """,
)


def test_the_summary_counts_what_is_stored():
    video = a_video(alice)
    publish(video, a_reaction(video, bob), a_view(video, carol))

    seen = operations.summary()

    assert (3, 1) == (seen["events"], seen["videos"])
    assert seen["bytes"] > 0
    assert seen["free_bytes"] > 0
    assert not seen["is_full"]


def test_a_read_model_that_nobody_computes_is_stale(monkeypatch):
    assert operations.summary()["age"] is None
    assert operations.summary()["is_stale"]

    publish(a_video(alice))
    # The projector's own clock is the machine's.
    monkeypatch.setattr("funnel.clock.now", lambda: 2_000_000_000)

    assert operations.summary()["is_stale"]


def test_arrivals_are_those_of_the_last_whole_minutes(clickhouse, monkeypatch):
    publish(a_note(bob, "1"), a_note(bob, "2"))
    [arrived] = {row["minute"] for row in clickhouse.select(ARRIVED, {})}
    monkeypatch.setattr("funnel.clock.now", lambda: arrived + 10 * 60 + 5)

    chart = operations.arrivals()["chart"]

    assert 60 == len(chart.labels) == len(chart.series["events"])
    assert 2 == chart.series["events"][-10]
    assert 2 == sum(chart.series["events"])


def test_people_and_events_are_counted_by_day():
    today = NOW - NOW % DAY
    publish(
        a_note(alice, "1", at=today - DAY - T),
        a_note(alice, "2", at=today - DAY - T),
        a_note(bob, "3", at=today - 40 * DAY - T),
        a_note(carol, "4", at=today - T),
    )

    people, days = operations.people(), operations.days()

    assert [0, 1, 1] == list(people["chart"].series["people"])[-3:]
    assert [0, 2, 1] == list(days["chart"].series["events"])[-3:]
    assert people["chart"].labels == days["chart"].labels
    assert 2 == people["active"]["month"]


def test_tables_have_rows_bytes_and_parts():
    publish(a_video(alice))

    seen = operations.tables()

    of_events = next(table for table in seen["tables"] if table["name"] == "events_local")
    assert 1 == of_events["rows"] == of_events["parts"] == of_events["partition_parts"]
    assert of_events["bytes"] > 0
    assert not of_events["is_crowded"]


def test_the_api_s_own_count_stands_in_for_a_query_log(api):
    api.get("/health")

    seen = operations.slowest_queries()

    if not seen["is_logged"]:
        assert {"endpoint", "query", "times", "mean_seconds", "total_seconds"} == set(
            seen["queries"][0]
        )
    totals = [query["total_seconds"] for query in seen["queries"]]
    assert sorted(totals, reverse=True) == totals


@pytest.fixture
def kept(settings):
    settings.CACHE_MEMORY_MB = 8
    forget_answers()
    yield
    forget_answers()


def test_the_hit_rate_is_the_share_of_answers_that_were_not_computed(api, kept):
    publish(a_video(alice))
    for _ in range(3):
        assert 200 == api.get("/api/videos").status_code

    def answers(source):
        return REGISTRY.get_sample_value("api_answers_total", {"source": source}) or 0

    sources = ("fresh", "stale", "computed", "awaited", "stale_after_failure")
    total = sum(answers(source) for source in sources)
    assert 100 * (total - answers("computed")) / total == pytest.approx(operations.hit_rate())


# The embedded ClickHouse of the tests keeps no query_log, but the engine can: in a process of its
# own, since one process has one engine.
WITH_QUERY_LOG = """
import json, sys
from chdb import _chdb

directory, sql = sys.argv[1:]
open(directory + "/config.xml", "w").write(
    "<clickhouse><query_log><database>system</database><table>query_log</table></query_log></clickhouse>"
)
connection = _chdb.connect(directory + "/data?config-file=" + directory + "/config.xml")
comment = '{"query":"videos.feed_recent","request_id":"r","endpoint":"videos"}'
for _ in range(3):
    connection.query("SELECT sleep(0.01) SETTINGS log_comment = '" + comment + "'", "TSV")
connection.query("SYSTEM FLUSH LOGS", "TSV")
now = connection.query("SELECT toUnixTimestamp(now())", "TSV").bytes().decode().strip()
params = {"now": now, "row_limit": "10"}
print(connection.query(sql, "JSONEachRow", params=params).bytes().decode())
"""


def test_the_query_log_of_a_server_is_read_by_endpoint(tmp_path):
    sql = load_query(str(Path(operations.__file__)), "slowest_queries").text

    process = subprocess.run(
        [sys.executable, "-c", WITH_QUERY_LOG, str(tmp_path), sql],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    [row] = [json.loads(line) for line in process.stdout.split("\n") if line]
    assert ("videos", "videos.feed_recent", 3) == (row["endpoint"], row["query"], int(row["times"]))
    assert row["p95_seconds"] >= 0.01
