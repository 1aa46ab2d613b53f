"""The admin's first page: who sees it, what it may load, and what it shows when things fail."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.db import OperationalError

from funnel.clickhouse import ClickhouseError, ClickhouseUnavailable
from funnel.operations import Chart, OperationsSite, Panel
from tests.test_docs import table_rows

VENDOR = Path(__file__).resolve().parents[2] / "funnel" / "static" / "funnel" / "vendor"


PANELS = "summary rate arrivals relays backfills people days queries rejected tables"


def raising(error):
    def look(*args, **kwargs):
        raise error

    return look


def test_who_is_not_staff_sees_nothing(client, django_user_model, db):
    user = django_user_model.objects.create_user("visitor")

    assert 302 == client.get("/admin/").status_code
    client.force_login(user)
    assert 302 == client.get("/admin/").status_code


def test_the_page_may_load_our_own_files_alone_and_is_kept_nowhere(admin_client, clickhouse):
    response = admin_client.get("/admin/")

    assert 200 == response.status_code
    assert PANELS.split() == re.findall(r'id="panel-(\w+)"', response.content.decode())
    assert b'class="failure"' not in response.content
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


def test_without_clickhouse_the_page_says_so_and_shows_the_rest(admin_client, monkeypatch):
    asked = []

    def ask(query, **params):
        asked.append(query.name)
        raise ClickhouseUnavailable(210)

    monkeypatch.setattr("analytics.queries.ask", ask)

    page = admin_client.get("/admin/").content.decode()

    assert 6 == page.count("ClickHouse is not available (code 210).")
    assert "No worker has read a relay yet." in page
    # A server that hangs is waited for once, not by each panel.
    assert 1 == len(asked)


def test_a_question_that_is_refused_keeps_nobody_else_from_asking():
    away: dict[str, str] = {}
    refused = Panel("a", "", "", raising(ClickhouseError(497)), position=1, source="clickhouse")

    shown = refused.shown(away)

    assert "ClickHouse failed (code 497)." == shown["failure"]
    assert {} == away


def test_a_failure_does_not_quote_the_database():
    panel = Panel("x", "X", "x.html", raising(OperationalError("password=hunter2")), position=1)

    assert "Django's database does not answer." == panel.shown({})["failure"]


def test_a_bug_is_not_taken_for_a_failure():
    with pytest.raises(ZeroDivisionError):
        Panel("x", "X", "x.html", raising(ZeroDivisionError()), position=1).shown({})


def test_panels_come_in_the_order_of_their_positions():
    site = OperationsSite()

    site.add_panels(Panel("b", "", "", dict, position=2), Panel("d", "", "", dict, position=4))
    site.add_panels(Panel("a", "", "", dict, position=1), Panel("c", "", "", dict, position=3))

    assert ["a", "b", "c", "d"] == [panel.name for panel in site.panels]


def test_a_chart_is_data_and_no_script():
    chart = Chart("c", "<b>", "line", labels=["</script>"], series={"x": [1, None]})

    assert "chart-c" == chart.element_id
    assert ["</script>"] == chart.spec["labels"]


@pytest.mark.parametrize(
    "path", ["funnel/operations.js", "funnel/operations.css", "admin/css/base.css"]
)
def test_scripts_and_styles_are_served_without_being_collected(client, path):
    response = client.get(f"/static/{path}")

    assert 200 == response.status_code
    assert b"".join(response)
    assert "Access-Control-Allow-Origin" not in response


def test_a_library_of_others_is_the_one_that_is_written_down():
    [[path, origin, licence, checksum]] = table_rows((VENDOR / "README.md").read_text())

    assert hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() == checksum.strip("`")
    assert origin.split()[-1].encode() in (VENDOR / path).read_bytes()[:200]
    assert licence in (VENDOR / path).parent.joinpath("LICENSE.md").read_text()
