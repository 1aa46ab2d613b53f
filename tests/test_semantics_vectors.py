"""The acceptance scenarios end to end: signed events in at the pipeline, answers out by HTTP."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from clickhouse_schema.rebuild import Rebuild
from funnel import clock
from funnel.clickhouse import Clickhouse, connections
from funnel.sql import parse_query
from tests.delivery import Delivery

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "data" / "semantics-vectors.json"
SCENARIOS: dict[str, dict[str, Any]] = (
    {each["name"]: each for each in json.loads(VECTORS.read_text())["scenarios"]}
    if VECTORS.exists()
    else {}
)
# A rebuild takes seconds, whatever there is: of six scenarios one in each run, all in `make fuzz`.
REBUILT = (
    list(SCENARIOS)
    if "FUZZ_EXAMPLES" in os.environ
    else list(SCENARIOS)[int(os.environ["FUZZ_SEED"]) % 6 :: 6]
)
# Where the given batches are of one event each, it is what is given.
LONGER_BATCHES = [
    name for name in SCENARIOS if any(batch[1:] for batch in SCENARIOS[name]["batches"])
]
# One event a batch is many passes, and hardly more than the given batches, which are of two events:
# of three scenarios one in each run, all in `make fuzz`.
ONE_BY_ONE = (
    LONGER_BATCHES
    if "FUZZ_EXAMPLES" in os.environ
    else LONGER_BATCHES[int(os.environ["FUZZ_SEED"]) % 3 :: 3]
)
CASES = [
    *((name, order) for name in SCENARIOS for order in ("given", "reversed", "shuffled")),
    *((name, "one event a batch") for name in ONE_BY_ONE),
]
needs_vectors = pytest.mark.skipif(not SCENARIOS, reason="semantics-vectors.json is not here")

ACTIVE_USERS = parse_query(
    "tests.active_users",
    """-- Active users by day, in Unix seconds of its beginning.
    SELECT
        toUnixTimestamp(toDateTime(day, 'UTC')) AS start,
        active_users
    FROM daily_active_users(now = {now:UInt32})
    """,
)
CREATORS = parse_query(
    "tests.creators",
    """-- Live videos by creator.
    SELECT
        pubkey,
        video_count
    FROM top_video_creators(now = {now:UInt32})
    """,
)


def answers(api: APIClient, scenario: dict[str, Any]) -> dict[str, Any]:
    """What the service says to everything that the scenario's `expected` asks."""
    expected = scenario["expected"]
    reader = connections["reader"]
    now = {"now": scenario["now"]}

    def keys(**params: str) -> list[str]:
        rows = api.get("/api/videos", {"sort": "recent", "limit": "100", **params}).json()
        return [row["address"] or row["id"] for row in rows]

    totals = api.get("/api/stats").json()
    got: dict[str, Any] = {
        "recent": keys(),
        "totals": {"events": totals["total_events"], "videos": totals["total_videos"]},
        "stats_by_event_id": {},
    }
    for event_id, stats in expected["stats_by_event_id"].items():
        response = api.get(f"/api/videos/{event_id}/stats")
        assert response.status_code in (200, 404)
        row = response.json() if response.status_code == 200 else None
        if row is not None:
            row["address"] = row["address"] or None
        got["stats_by_event_id"][event_id] = row and {name: row[name] for name in (stats or row)}
    if "hashtag" in expected:
        got["hashtag"] = {
            tag: [
                row["address"] or row["id"] for row in api.get("/api/search", {"tag": tag}).json()
            ]
            for tag in expected["hashtag"]
        }
    if "recent_by_kind" in expected:
        got["recent_by_kind"] = {kind: keys(kind=kind) for kind in expected["recent_by_kind"]}
    if "dau" in expected:
        days = {str(row["start"]): row["active_users"] for row in reader.select(ACTIVE_USERS, now)}
        got["dau"] = {day: days.get(day, 0) for day in expected["dau"]}
    if "creators" in expected:
        creators = {row["pubkey"]: row["video_count"] for row in reader.select(CREATORS, now)}
        got["creators"] = creators
    return got


def reordered(batches: list[list[Any]], order: str) -> list[list[Any]]:
    events = [event for batch in batches for event in batch]
    match order:
        case "given":
            return batches
        case "reversed":
            return [batch[::-1] for batch in batches[::-1]]
        case "one event a batch":
            return [[event] for event in events]
        case _:
            shuffled = events * 2
            random.Random(os.environ["FUZZ_SEED"]).shuffle(shuffled)
            return [shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]]


@needs_vectors
@pytest.mark.parametrize(("name", "order"), CASES)
def test_the_answers_depend_on_the_events_and_not_on_their_order(
    name: str,
    order: str,
    clickhouse: Clickhouse,
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
):
    scenario = SCENARIOS[name]
    monkeypatch.setattr(clock, "now", lambda: scenario["now"])
    delivery = Delivery(clickhouse, now=scenario["now"], just_started=order == "given")

    delivery.deliver(reordered(scenario["batches"], order))

    assert scenario["expected"] == answers(api, scenario)
    if order == "given":
        # All of it once more, at once.
        delivery.deliver([[event for batch in scenario["batches"] for event in batch]])

        assert scenario["expected"] == answers(api, scenario)


@needs_vectors
@pytest.mark.parametrize("name", REBUILT)
def test_a_rebuild_changes_no_answer(
    name: str, clickhouse: Clickhouse, api: APIClient, monkeypatch: pytest.MonkeyPatch
):
    scenario = SCENARIOS[name]
    monkeypatch.setattr(clock, "now", lambda: scenario["now"])
    delivery = Delivery(clickhouse, now=scenario["now"])
    # All at once, and into the read model by the rebuild alone.
    delivery.write(event for batch in scenario["batches"] for event in batch)
    rebuild = Rebuild(
        clickhouse,
        delivery.projector,
        progress=lambda what, done, total: None,
        clock=lambda: scenario["now"],
    )

    rebuild.run()

    assert scenario["expected"] == answers(api, scenario)
