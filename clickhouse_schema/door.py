"""What the read model's keepers ask of ClickHouse."""

from __future__ import annotations

from typing import Any, Protocol

from funnel.sql import Query


class Door(Protocol):
    """As funnel.clickhouse.Clickhouse has it, whose errors they pass on."""

    def select(self, query: Query, params: dict[str, Any]) -> list[dict[str, Any]]: ...

    def execute(self, query: Query, params: dict[str, Any]) -> None: ...
