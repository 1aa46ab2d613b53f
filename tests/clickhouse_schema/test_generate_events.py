"""`manage.py generate_events`: made-up events for measurements."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query
from tests.builders import T, a_video, alice, as_json
from tests.clickhouse_schema.lively_day import answers
from tests.delivery import Delivery

NOW = T + 100_000
# Enough for one of each kind.
COUNT = 6_000

KINDS = parse_query(
    "tests.kinds",
    """-- How many events of each kind there are, view events included.
    SELECT
        kind,
        count() AS events
    FROM (
        SELECT kind FROM events_local FINAL
        UNION ALL
        SELECT 22236 AS kind FROM view_events_local FINAL
    )
    GROUP BY kind
    """,
)
SHAPE = parse_query(
    "tests.shape",
    """-- How evenly what is done falls on the videos.
    SELECT
        count() AS videos,
        arrayReverseSort(groupArray(reactions)) AS reactions,
        sum(comments) > 0 AND sum(reposts) > 0 AND sum(quotes) > 0 AND sum(zaps_unverified) > 0
            AND sum(bookmarks) > 0 AND sum(views) > 0 AND sum(loops) > 0 AS is_rich,
        max(published_at) AS latest,
        min(published_at) AS first
    FROM video_stats FINAL
    """,
)


@pytest.fixture(autouse=True)
def clock_at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("funnel.clock.now", lambda: NOW)


def generate(**options: Any) -> None:
    call_command("generate_events", count=COUNT, days=30, **options)


def test_generated_events_have_the_kinds_and_the_skew_of_a_service(clickhouse: Clickhouse):
    generate()

    kinds = {row["kind"]: row["events"] for row in clickhouse.select(KINDS, {})}
    assert COUNT == sum(kinds.values())
    assert COUNT // 4 == kinds[22236]
    assert {0, 1, 3, 5, 7, 16, 21, 22, 1111, 1984, 1985, 9735, 10003, 34235, 34236} <= kinds.keys()
    [shape] = clickhouse.select(SHAPE, {})
    assert COUNT * 3 // 4 // 50 == shape["videos"]
    assert shape["is_rich"]
    # A tenth of the videos gets more than a sixth of the reactions, and not nearly all.
    tenth = sum(shape["reactions"][: shape["videos"] // 10]) / sum(shape["reactions"])
    assert 1 / 6 < tenth < 2 / 3
    assert NOW - 30 * 86_400 <= shape["first"] < shape["latest"] <= NOW


def test_the_same_numbers_give_the_same_events_and_answers(clickhouse: Clickhouse):
    generate(leave_to_projector=True)
    Delivery(clickhouse, now=NOW).project()
    by_the_projector = answers(clickhouse)

    generate()

    assert by_the_projector == answers(clickhouse)
    generate(seed=2)
    assert by_the_projector != answers(clickhouse)


def test_real_events_are_not_mixed_with_made_up_ones(clickhouse: Clickhouse):
    Delivery(clickhouse, now=NOW).deliver([[as_json(a_video(alice))]])

    with pytest.raises(CommandError, match="holds real events"):
        generate()

    assert 1 == sum(row["events"] for row in clickhouse.select(KINDS, {}))
    generate(among_real_events=True)
    assert 1 + COUNT == sum(row["events"] for row in clickhouse.select(KINDS, {}))
