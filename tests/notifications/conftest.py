"""Each test asks an empty ClickHouse with the schema, at one moment, as its address is known."""

from __future__ import annotations

import pytest

from funnel.clickhouse import Clickhouse
from tests.notifications.signed import SITE
from tests.published import clock_at_now

__all__ = ["clock_at_now"]


@pytest.fixture(autouse=True)
def empty_clickhouse(clickhouse: Clickhouse, clock_at_now: None, settings) -> Clickhouse:
    settings.PUBLIC_URL = SITE
    return clickhouse
