"""The admin's first page: how the service is doing, in panels that the apps add to it.

The apps do not know each other, and this knows none of them: ingestion shows what it keeps of
relays, analytics what it asks of ClickHouse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import structlog
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.db import DatabaseError
from django.http import HttpRequest
from django.template.response import TemplateResponse

from funnel.clickhouse import ClickhouseError, ClickhouseTimeout, ClickhouseUnavailable

log = structlog.get_logger(__name__)

# Whoever answers so makes everybody wait that asks next.
AWAY = (ClickhouseUnavailable, ClickhouseTimeout)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture for a template: `{% include "operations/chart.html" with chart=… %}`.

    kind: "line", "bar", or "horizontal-bar". series: what the legend calls it and its values, one
    for each label; None leaves a hole.
    """

    name: str
    title: str
    kind: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    is_stacked: bool = False

    @property
    def element_id(self) -> str:
        return f"chart-{self.name}"

    @property
    def spec(self) -> dict[str, Any]:
        """What funnel/static/funnel/operations.js draws."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page.

    look: what its template is rendered with; may raise ClickhouseError or DatabaseError.
    position: smaller ones come first. width: columns of twelve. source: whom it asks; when one
    panel finds that this one is away, the others do not wait for it too.
    """

    name: str
    title: str
    template: str
    look: Callable[[], dict[str, Any]]
    position: int
    width: int = 12
    source: str = ""

    def shown(self, away: dict[str, str]) -> dict[str, Any]:
        """For the page's template: what is to be seen now, or in `failure` why nothing is.

        away: the sources that are known to be so, and in which words; what is found out is added.
        """
        shown: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "template": self.template,
            "width": self.width,
        }
        if self.source in away:
            return shown | {"failure": away[self.source]}
        try:
            return shown | {"seen": self.look()}
        except (ClickhouseError, DatabaseError) as error:
            # The page is for the moments in which something does not work.
            log.warning("panel_failed", panel=self.name, error=type(error).__name__)
            if self.source and isinstance(error, AWAY):
                away[self.source] = reason(error)
            return shown | {"failure": reason(error)}


def reason(error: ClickhouseError | DatabaseError) -> str:
    """In one sentence, without the words of a server, which may quote data."""
    if isinstance(error, ClickhouseError):
        return str(error)
    return "Django's database does not answer."


class OperationsSite(AdminSite):
    """Django's admin, for staff alone, with the panels before everything else."""

    site_header = "Funnel"
    site_title = "Funnel"
    index_title = "Operations"
    index_template = "operations/index.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.panels: list[Panel] = []

    def add_panels(self, *panels: Panel) -> None:
        self.panels = sorted([*self.panels, *panels], key=lambda panel: panel.position)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        away: dict[str, str] = {}
        shown = [panel.shown(away) for panel in self.panels]
        response = super().index(request, {**(extra_context or {}), "panels": shown})
        response["Cache-Control"] = "no-store"
        return response


def site() -> OperationsSite:
    """The admin that the settings name; for the `admin` modules of the apps."""
    return cast(OperationsSite, admin.site)
