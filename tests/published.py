"""Signed events as the answers of one moment know them."""

from __future__ import annotations

import pytest

from funnel.clickhouse import connections
from funnel.nostr import Event
from tests.builders import T, as_json
from tests.delivery import Delivery

# Later than all that the builders date by default.
NOW = T + 100_000


def publish(*events: Event, now: int = NOW) -> None:
    """Everything that an answer at `now` depends on is in the read model when it returns."""
    delivery = Delivery(connections["default"], now=now)
    delivery.deliver([[as_json(event) for event in events]])
    assert not delivery.rejected


@pytest.fixture
def clock_at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are given at NOW."""
    monkeypatch.setattr("funnel.clock.now", lambda: NOW)
