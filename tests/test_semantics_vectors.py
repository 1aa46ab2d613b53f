"""The acceptance scenarios end to end: signed events in at the pipeline, answers out by HTTP."""

from __future__ import annotations

import itertools
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
from tests import test_oracle_vectors
from tests.builders import T
from tests.delivery import Delivery
from tests.namesakes import namesake

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "data" / "semantics-vectors.json"
SCENARIOS: dict[str, dict[str, Any]] = (
    {each["name"]: each for each in json.loads(VECTORS.read_text())["scenarios"]}
    if VECTORS.exists()
    else {}
)
# A pass takes half a second and a rebuild two, whatever there is. So every scenario is alone as it
# is given, and among all the others in the other orders. Of six one is alone in these too, once
# more and in a rebuild: other ones in each run, all in `make fuzz`.
SEED = int(os.environ["FUZZ_SEED"])
ONE_OF = 1 if "FUZZ_EXAMPLES" in os.environ else 6
TRIED = list(SCENARIOS)[SEED % ONE_OF :: ONE_OF]
ORDERS = ("reversed", "shuffled", "one event a batch")
NOW = T + 100_000
# Forgeries have the ids of other events, active users have no names, and all ask at one moment.
ALONE = [name for name in SCENARIOS if name in ("S23", "S24d") or SCENARIOS[name]["now"] != NOW]
# Where the given batches are of one event each, it is what is given.
LONGER_BATCHES = [
    name for name in SCENARIOS if any(batch[1:] for batch in SCENARIOS[name]["batches"])
]
CASES = [
    *((name, "given") for name in SCENARIOS),
    *(
        (name, order)
        for name in SCENARIOS
        for order in ORDERS
        if name in {*ALONE, *TRIED} and (order != "one event a batch" or name in LONGER_BATCHES)
    ),
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
    if order == "given" and name in {*ALONE, *TRIED}:
        # All of it once more, at once.
        delivery.deliver([[event for batch in scenario["batches"] for event in batch]])

        assert scenario["expected"] == answers(api, scenario)


def assert_answered(scenario: dict[str, Any], got: dict[str, Any]) -> None:
    """Among the answers about many scenarios are this one's. Totals are of nobody."""
    expected = scenario["expected"]
    events = [event for batch in scenario["batches"] for event in batch]
    names = {event[name] for event in events for name in ("id", "pubkey")}

    def own(keys: list[str]) -> list[str]:
        return [key for key in keys if not names.isdisjoint(key.split(":"))]

    assert expected["recent"] == own(got["recent"])
    for question in ("hashtag", "recent_by_kind"):
        for about, keys in expected.get(question, {}).items():
            assert keys == own(got[question][about])
    for event_id, stats in expected["stats_by_event_id"].items():
        assert stats == got["stats_by_event_id"][event_id]
    if "creators" in expected:
        creators = got["creators"].items()
        assert expected["creators"] == {name: count for name, count in creators if name in names}


@needs_vectors
@pytest.mark.timeout(300)
@pytest.mark.parametrize("order", ORDERS)
def test_the_answers_about_many_do_not_depend_on_the_order_either(
    order: str, clickhouse: Clickhouse, api: APIClient, monkeypatch: pytest.MonkeyPatch
):
    scenarios = [
        namesake(SCENARIOS[name], test_oracle_vectors.answer)
        for name in SCENARIOS
        if name not in ALONE
    ]
    expected = [scenario["expected"] for scenario in scenarios]
    everything: dict[str, Any] = {
        question: {about: it for each in expected for about, it in each.get(question, {}).items()}
        for question in ("stats_by_event_id", "hashtag", "recent_by_kind", "creators")
    }
    totals = {name: sum(each["totals"][name] for each in expected) for name in ("events", "videos")}
    batches = [
        [event for batch in together for event in batch]
        for together in itertools.zip_longest(
            *(reordered(scenario["batches"], order) for scenario in scenarios), fillvalue=[]
        )
    ]
    monkeypatch.setattr(clock, "now", lambda: NOW)
    delivery = Delivery(clickhouse, now=NOW)

    delivery.deliver(batches)

    def assert_all_answered() -> None:
        got = answers(api, {"now": NOW, "expected": everything})
        assert totals == got["totals"]
        assert sum(len(each["recent"]) for each in expected) == len(got["recent"])
        for scenario in scenarios:
            assert_answered(scenario, got)

    assert_all_answered()
    if order == "reversed":
        # All of it once more, at once.
        delivery.deliver([[event for batch in batches for event in batch]])

        assert_all_answered()


@needs_vectors
@pytest.mark.parametrize("name", TRIED)
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
