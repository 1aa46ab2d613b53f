"""The panels of the admin's first page that ask ClickHouse, and the API's own numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from analytics import queries
from funnel import clock, metrics
from funnel.clickhouse import ClickhouseError
from funnel.operations import AWAY, Chart, Panel

CLICKHOUSE = "clickhouse"
MINUTES = 60
DAYS = 30
QUERIES = 10
# Older than this, answers are not what they should be.
STALE_SECONDS = 60
# ClickHouse begins to slow inserts down at 1,000 parts in a partition by default.
MANY_PARTS = 300
LITTLE_ROOM = 0.1


def summary() -> dict[str, Any]:
    now = clock.now()
    age = queries.read_model_age(now=now)
    people = queries.people_active(now=now)
    stored = {table["name"]: table for table in queries.tables()}
    disks = queries.disks()
    room = min((disk["free_bytes"] / max(1, disk["total_bytes"]) for disk in disks), default=None)
    return {
        "events": sum(
            stored[name]["rows"] for name in ("events_local", "view_events_local") if name in stored
        ),
        "videos": queries.engagement(now=now)["videos"],
        "people": people,
        "age": age,
        "is_stale": age is None or age > STALE_SECONDS,
        "bytes": sum(table["bytes"] for table in stored.values()),
        "free_bytes": min((disk["free_bytes"] for disk in disks), default=None),
        "is_full": room is not None and room < LITTLE_ROOM,
        "hit_rate": hit_rate(),
    }


def hit_rate() -> float | None:
    """The share of answers that nobody had to compute, in percent, since the API was started."""
    answers = {
        dict(labels)["source"]: n for labels, n in metrics.totals("api_answers_total").items()
    }
    total = sum(answers.values())
    return 100 * (1 - answers.get("computed", 0) / total) if total else None


def arrivals() -> dict[str, Any]:
    now = clock.now()
    last = now - now % 60
    minutes = range(last - 60 * MINUTES, last, 60)
    rows = queries.arrivals_by_minute(now=now, minutes=MINUTES)
    events = {row["minute"]: row["events"] for row in rows}
    return {
        "chart": Chart(
            name="arrivals",
            title="Events that reached ClickHouse, per minute",
            kind="line",
            labels=[f"{moment(minute):%H:%M}" for minute in minutes],
            series={"events": [events.get(minute, 0) for minute in minutes]},
        )
    }


def people() -> dict[str, Any]:
    now = clock.now()
    rows = queries.active_users(now=now, span="day", row_limit=DAYS)[::-1]
    return {
        "active": queries.people_active(now=now),
        "chart": Chart(
            name="people",
            title="People who signed anything, per day (UTC)",
            kind="bar",
            labels=[day(row["start"]) for row in rows],
            series={"people": [row["active_users"] for row in rows]},
        ),
    }


def days() -> dict[str, Any]:
    now = clock.now()
    today = now - now % 86_400
    all_days = [today - 86_400 * back for back in reversed(range(DAYS))]
    events = {row["day"]: row["events"] for row in queries.events_by_day(now=now, days=DAYS)}
    return {
        "chart": Chart(
            name="days",
            title="Events by the day on which they were signed (UTC)",
            kind="bar",
            labels=[day(start) for start in all_days],
            series={"events": [events.get(start, 0) for start in all_days]},
        )
    }


def tables() -> dict[str, Any]:
    rows = [
        table | {"is_crowded": table["partition_parts"] >= MANY_PARTS} for table in queries.tables()
    ]
    return {
        "tables": rows,
        "chart": Chart(
            name="tables",
            title="Megabytes on disk, the ten largest tables",
            kind="horizontal-bar",
            labels=[table["name"] for table in rows[:10]],
            series={"MB": [round(table["bytes"] / 1e6, 3) for table in rows[:10]]},
        ),
    }


def slowest_queries() -> dict[str, Any]:
    """From the server's log; where it keeps none, from what the API has counted itself."""
    try:
        rows = queries.slowest_queries(now=clock.now(), row_limit=QUERIES)
    except AWAY:
        raise
    except ClickhouseError:
        # Unknown, or not to be seen by this account.
        return {"queries": counted_queries(), "is_logged": False}
    return {"queries": rows, "is_logged": True}


def counted_queries() -> list[dict[str, Any]]:
    """The same of the API alone, since it was started."""
    metric = "api_clickhouse_query_duration_seconds"
    times = metrics.totals(f"{metric}_count")
    seconds = metrics.totals(f"{metric}_sum")
    rows = [
        dict(labels)
        | {
            "times": int(count),
            "mean_seconds": seconds[labels] / count,
            "total_seconds": seconds[labels],
        }
        for labels, count in times.items()
        if count
    ]
    return sorted(rows, key=lambda row: -float(row["total_seconds"]))[:QUERIES]


def moment(unix_seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(unix_seconds, dt.UTC)


def day(unix_seconds: int) -> str:
    return f"{moment(unix_seconds):%-d %b}"


PANELS = (
    Panel("summary", "", "operations/summary.html", summary, position=10, source=CLICKHOUSE),
    Panel(
        "arrivals",
        "Arrivals",
        "operations/one_chart.html",
        arrivals,
        position=30,
        source=CLICKHOUSE,
        width=6,
    ),
    Panel(
        "people",
        "People",
        "operations/people.html",
        people,
        position=60,
        source=CLICKHOUSE,
        width=6,
    ),
    Panel(
        "days", "Events", "operations/one_chart.html", days, position=70, source=CLICKHOUSE, width=6
    ),
    Panel(
        "queries",
        "Slowest queries",
        "operations/queries.html",
        slowest_queries,
        position=80,
        source=CLICKHOUSE,
        width=6,
    ),
    Panel("tables", "Tables", "operations/tables.html", tables, position=100, source=CLICKHOUSE),
)
