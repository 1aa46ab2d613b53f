"""What the admin's first page shows of ClickHouse."""

from __future__ import annotations

from analytics.operations import PANELS
from funnel.operations import site

site().add_panels(*PANELS)
