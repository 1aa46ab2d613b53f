"""Alerts and dashboards ask for what the service shows: every metric, every label."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

# So that all numbers are registered.
import clickhouse_schema.metrics  # noqa: F401
import funnel.urls  # noqa: F401
import ingestion.metrics  # noqa: F401
from analytics import observer

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
RULES = DEPLOY / "prometheus" / "alerts.yml"

# What Prometheus adds to everything.
ADDED = {"job", "instance"}
WORDS = {"and", "or", "unless", "vector"}


def of_dashboard(path: Path) -> list[str]:
    return [
        target["expr"]
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


def of_rules() -> list[str]:
    """Each expression is on the line of its key, or stands below it, indented further."""
    return re.findall(r"^ +expr: (?:\|\n)?((?:.+\n)+?) +(?:for|labels):", RULES.read_text(), re.M)


def metrics_in(expression: str) -> dict[str, set[str]]:
    """The metrics that a PromQL expression names, and the labels that it asks of any of them."""
    matched = {
        label
        for matchers in re.findall(r"\{(.*?)\}", expression)
        for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers)
    }
    grouped = {
        label
        for labels in re.findall(r"\bby \((.*?)\)", expression)
        for label in re.split(r"[,\s]+", labels)
    }
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|group_left) \([^)]*\)", "", bare)
    names = set(re.findall(r"\b[a-z][a-z0-9_]*\b(?!\s*\()", bare)) - WORDS
    return dict.fromkeys(names, matched | grouped)


@pytest.fixture(scope="module")
def exposed(migrated_clickhouse: None) -> dict[str, set[str]]:
    """Every metric as Prometheus gets it, and its labels."""
    shown = {"up": set(ADDED)}
    families: list[Any] = [
        *REGISTRY._collector_to_names,
        observer.reachability(True),
        *observer.state(0),
        *observer.product(0),
    ]
    for family in families:
        kind = getattr(family, "_type", getattr(family, "type", ""))
        name = getattr(family, "_name", getattr(family, "name", ""))
        labels = ADDED | set(getattr(family, "_labelnames", ()))
        if kind == "counter":
            shown[f"{name}_total"] = labels
        elif kind == "gauge":
            shown[name] = labels
        elif kind == "histogram":
            shown |= {f"{name}_sum": labels, f"{name}_count": labels}
            shown[f"{name}_bucket"] = labels | {"le"}
    return shown


def test_the_names_and_labels_of_an_expression_are_found():
    expression = (
        'sum by (a, le) (rate(x_bucket{b="c,d",e!~"f"}[$__rate_interval])) > 2e3 and y == 0'
    )

    assert {name: {"a", "le", "b", "e"} for name in ("x_bucket", "y")} == metrics_in(expression)


@pytest.mark.parametrize(
    "expressions",
    [
        pytest.param(of_rules(), id="alerts"),
        *(pytest.param(of_dashboard(path), id=path.stem) for path in DASHBOARDS),
    ],
)
def test_everything_that_is_asked_for_is_there(expressions, exposed):
    assert len(expressions) > 8
    for expression in expressions:
        asked = metrics_in(expression)
        assert asked, expression
        assert asked.keys() <= exposed.keys(), expression
        # Of an expression with several metrics each label belongs to one of them at least.
        labels = set().union(*(exposed[name] for name in asked))
        assert set().union(*asked.values()) <= labels, expression


def test_every_alert_is_described_and_tested():
    names = re.findall(r"- alert: (\w+)", RULES.read_text())
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    tests = "".join(path.read_text() for path in (RULES.parent / "tests").glob("*.yml"))

    assert len(set(names)) == len(names) > 15
    assert [] == [name for name in names if f"`{name}`" not in page]
    # Once as it fires, and what it then says.
    fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", tests))
    assert fired == set(names)


def test_the_dashboards_can_be_told_apart():
    boards = [json.loads(path.read_text()) for path in DASHBOARDS]

    assert ["api", "clickhouse", "ingestion", "product"] == [path.stem for path in DASHBOARDS]
    assert len(DASHBOARDS) == len({board["uid"] for board in boards})
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))


def test_prometheus_asks_the_containers_where_they_listen():
    compose = (DEPLOY.parent / "docker-compose.yml").read_text()
    config = (DEPLOY / "prometheus" / "prometheus.yml").read_text()

    targets = dict(re.findall(r'targets: \["([\w-]+):(\d+)"\]', config))

    assert {"api", "ingestion", "project"} == targets.keys()
    assert f"--bind 0.0.0.0:{targets['api']}" in compose
    assert f"INGEST_METRICS_PORT: {targets['ingestion']}" in compose
    assert f"PROJECT_METRICS_PORT: {targets['project']}" in compose
    # Django refuses a Host that it was not told of, Prometheus's too.
    [hosts] = re.findall(r"ALLOWED_HOSTS: (.+)", compose)
    assert "api" in hosts.split(",")


promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool not installed")


@promtool
def test_prometheus_takes_the_configuration():
    subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")], check=True
    )


@promtool
def test_alerts_fire_and_clear_when_they_should():
    files = sorted(map(str, (DEPLOY / "prometheus" / "tests").glob("*.yml")))

    process = subprocess.run(
        ["promtool", "test", "rules", *files], capture_output=True, text=True, check=False
    )

    assert 0 == process.returncode, process.stdout + process.stderr
