"""The API as its document describes it, for tests that go through all of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

COMMITTED = Path(__file__).resolve().parent.parent / "docs" / "openapi.yaml"


class Operation(NamedTuple):
    path: str
    method: str
    described: dict[str, Any]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = self.described.get("parameters", [])
        return parameters

    @property
    def is_personal(self) -> bool:
        """Whether it asks for the signature of the person in its path (NIP-98)."""
        return {"nip98": []} in self.described["security"]


@functools.cache
def committed() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMMITTED.read_bytes())
    return document


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield Operation(path, method, described)
