"""Seventeen thousand real events: each once, the right versions, nothing from a replay."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from funnel import clock
from funnel.clickhouse import Clickhouse, connections
from funnel.sql import parse_query
from tests.delivery import OWN_URLS, Delivery
from tests.oracle import Config, Oracle, accept

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "real-events.jsonl.gz"
NOW = 1_795_000_000

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="real-events.jsonl.gz is not here")

STORED = parse_query(
    "tests.stored",
    """-- Events by id, and rows after merging.
    SELECT
        uniqExact(id) AS ids,
        (SELECT count() FROM events_local FINAL) AS rows
    FROM events_local
    """,
)
SHOWN = parse_query(
    "tests.shown",
    """-- Every live video with its numbers.
    SELECT
        video_key, id, video_url, thumbnail, platform, reactions, comments, reposts, quotes,
        bookmarks, zaps_unverified, engagement_score
    FROM videos(now = {now:UInt32})
    ORDER BY published_at DESC, id ASC
    """,
)


@pytest.fixture(scope="module")
def raws() -> list[dict[str, Any]]:
    with gzip.open(FILE, "rt") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def oracle(raws: list[dict[str, Any]]) -> Oracle:
    accepted = [event for raw in raws if (event := accept(raw)) is not None]
    return Oracle(accepted, NOW, Config(own_urls=OWN_URLS))


def test_real_events_give_the_oracles_answers_however_often_they_come(
    raws: list[dict[str, Any]],
    oracle: Oracle,
    clickhouse: Clickhouse,
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    reader = connections["reader"]
    delivery = Delivery(clickhouse, now=NOW)

    delivery.deliver(raws[start : start + 6000] for start in range(0, len(raws), 6000))

    # Each accepted event is there once.
    accepted = len(raws) - len(delivery.rejected)
    assert {"ids": accepted, "rows": accepted} == reader.select(STORED, {})[0]
    assert set(delivery.rejected) <= {"ephemeral", "bad_created_at"}

    # Every live video, in order, with the numbers of the oracle.
    shown = reader.select(SHOWN, {"now": NOW})
    assert oracle.recent() == [row["video_key"] for row in shown]
    for row in shown:
        video, stats = oracle.video(row["video_key"]), oracle.stats(row["video_key"])
        assert video is not None
        assert stats is not None
        assert (video.id, video.video_url, video.thumbnail, video.platform) == (
            row["id"],
            row["video_url"],
            row["thumbnail"],
            row["platform"],
        )
        assert stats.engagement_score == row["engagement_score"]

    # The apps get what they can play, of the archive's flat imeta form too.
    assert all(row["video_url"].startswith("https://") for row in shown)
    archive = [row for row in shown if row["platform"] == "vine"]
    assert len(archive) > 200
    assert all(row["thumbnail"].startswith("https://") for row in archive)
    recent = api.get("/api/videos", {"sort": "recent", "limit": "100"}).json()
    assert [row["id"] for row in shown[:100]] == [row["id"] for row in recent]
    hashtag = max(oracle.popular_hashtags(), key=lambda each: each.video_count).hashtag
    found = api.get("/api/search", {"tag": f"#{hashtag.upper()}"}).json()
    assert oracle.recent(hashtag=hashtag) == [row["address"] or row["id"] for row in found]

    # Two versions in one second: the lowest id is the current one (NIP-01).
    seconds: dict[tuple[str, int], list[str]] = defaultdict(list)
    for event in oracle.events.values():
        if oracle.aliases.get(event.id, event.id) != event.id:
            seconds[oracle.aliases[event.id], event.created_at].append(event.id)
    ties = {key: ids for (key, _), ids in seconds.items() if len(ids) > 1}
    assert len(ties) == 38
    for key, ids in ties.items():
        row = next(row for row in shown if row["video_key"] == key)
        assert min(ids) == row["id"]
        stats = api.get(f"/api/videos/{max(ids)}/stats").json()
        assert min(ids) == stats["id"]

    # The whole history once more, in another order and with other batches: nothing changes.
    totals = api.get("/api/stats").json()
    again = random.Random(1).sample(raws, len(raws))
    delivery.deliver(again[start : start + 9000] for start in range(0, len(again), 9000))
    assert totals == api.get("/api/stats").json()
    assert shown == reader.select(SHOWN, {"now": NOW})
    assert {"ids": accepted, "rows": accepted} == reader.select(STORED, {})[0]
