"""What is stated in the documents and in the code is the same."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

import funnel
from analytics.serializers import Totals, User
from tests.test_env_example import EXAMPLE
from tests.test_semantics_vectors import VECTORS
from videos.serializers import Video

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("*/README.md")])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
APPS = ("funnel", "ingestion", "videos", "analytics", "notifications", "clickhouse_schema")

of_each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def section(document: Path, heading: str) -> str:
    """The text below a heading of the second level."""
    _, found, rest = document.read_text().partition(f"\n## {heading}\n")
    assert found, f"{document.name} has no section {heading}"
    return rest.partition("\n## ")[0]


def table_rows(text: str) -> list[list[str]]:
    """The cells of every row of Markdown tables whose first cell is code, without its backticks."""
    rows = []
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" |")]
            rows.append([cells[0].strip("`"), *cells[1:]])
    return rows


def anchors(document: Path) -> list[str]:
    """What links name the headings of a document by."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), flags=re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every route but the admin's, as docs/api.md writes it."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
        elif route != "/admin/":
            yield from routes(entry, route)


def metrics() -> set[str]:
    """The first word that each Counter, Gauge or Histogram, or family of them, is made with."""
    names = set()
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"Counter", "Gauge", "Histogram", "GaugeMetricFamily"}
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                names.add(str(node.args[0].value))
    return names


def test_the_settings_page_has_the_names_and_defaults_of_the_example():
    page = (DOCS / "settings.md").read_text().partition("## Variables of other programs")[0]

    explained = [(name, default.strip("`")) for name, default, *_ in table_rows(page)]

    assert re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE) == sorted(
        explained, key=lambda row: EXAMPLE.index(f"{row[0]}=")
    )


def test_every_route_has_a_section_and_every_section_a_route():
    page = (DOCS / "api.md").read_text()
    described = re.findall(r"^## `(?:GET|POST) (\S+)`$", page, flags=re.MULTILINE)

    assert sorted(routes(get_resolver())) == sorted(described)


def test_the_table_of_endpoints_has_every_section_in_its_order():
    page = DOCS / "api.md"
    described = re.findall(r"^## (`(?:GET|POST) \S+`)$", page.read_text(), flags=re.MULTILINE)

    assert described == re.findall(r"\[(`(?:GET|POST) \S+`)\]\(#", section(page, "Endpoints"))


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("The video row", Video),
        ("`GET /api/stats`", Totals),
        ("`GET /api/users/{pubkey}`", User),
    ],
)
def test_the_fields_of_an_answer_are_described_in_its_order(heading, schema):
    described = [name for name, *_ in table_rows(section(DOCS / "api.md", heading))]

    assert list(schema().fields) == described


def test_the_readme_counts_the_fields_of_the_video_row():
    assert (
        f"all {len(Video().fields)} fields of [the video row]" in (ROOT / "README.md").read_text()
    )


def test_every_metric_is_described():
    described = [
        name for name, *_ in table_rows(section(DOCS / "operations.md", "Health and numbers"))
    ]

    assert sorted(metrics()) == sorted(described)


def test_every_command_is_described():
    page = (DOCS / "operations.md").read_text()
    commands = [
        path.stem
        for app in APPS
        for path in (ROOT / app / "management" / "commands").glob("[!_]*.py")
    ]

    assert [] == [name for name in commands if f"`manage.py {name}" not in page]


def test_every_target_of_make_is_described():
    targets = re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    readme = (ROOT / "README.md").read_text()

    assert [] == [name for name in targets if name != "help" and f"`make {name}`" not in readme]


def test_every_table_and_view_is_in_the_map():
    created = re.findall(
        r"^CREATE (?:TABLE|(?:MATERIALIZED )?VIEW) (?:IF NOT EXISTS )?(\w+)",
        (ROOT / "clickhouse_schema" / "schema.sql").read_text(),
        flags=re.MULTILINE,
    )
    page = (ROOT / "clickhouse_schema" / "README.md").read_text()

    assert created
    assert [] == [name for name in created if f"`{name}`" not in page]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_what_instead_of_what_and_what_follows(decision):
    text = decision.read_text()

    assert text.startswith(f"# {decision.name[:4]}. ")
    assert ["Context", "Decision", "Rejected", "Consequences"] == re.findall(
        r"^## (.+)$", text, flags=re.MULTILINE
    )


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(decision.name[:4]) for decision in DECISIONS]

    assert list(range(1, len(DECISIONS) + 1)) == numbers


def test_the_changelog_begins_with_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()

    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, flags=re.MULTILINE)

    assert funnel.__version__ == versions[0]


@of_each_document
def test_every_link_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    local = [link for link in links if "://" not in link]

    assert [] == [link for link in local if not (document.parent / link).exists()]


@of_each_document
def test_every_link_to_a_heading_has_one(document):
    links = re.findall(r"\]\(([^)#:]*\.md|)#([^)]+)\)", document.read_text())

    assert [] == [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor not in anchors(document.parent / target if target else document)
    ]


@of_each_document
def test_every_file_that_is_named_exists(document):
    named = re.findall(r"`((?:\w+/)+[\w.-]+\.(?:py|sql|md))(?:::\w+)?`", document.read_text())

    assert [] == [path for path in named if not (ROOT / path).exists()]


@of_each_document
def test_every_test_that_is_named_exists(document):
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", document.read_text())

    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^def {name}\(", (ROOT / path).read_text(), flags=re.MULTILINE)
    ]

    assert [] == missing


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the scenarios are not at {VECTORS}")
def test_every_scenario_that_is_named_exists():
    named = re.findall(r"\bS\d\d[a-z]?\b", (DOCS / "semantics.md").read_text())
    scenarios = {each["name"] for each in json.loads(VECTORS.read_text())["scenarios"]}

    assert named
    assert [] == [name for name in named if name not in scenarios]
