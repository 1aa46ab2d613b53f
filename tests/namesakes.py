"""A scenario of the vectors once more, signed by other people, who know nothing of the first."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from tests.builders import Author, T, an_event, as_json
from tests.oracle import Oracle, accept

Raw = dict[str, Any]
# Of two events of one second the lower id may decide, and a namesake's ids are others: so many are
# made before a scenario is taken for one that has no namesake.
TRIES = 200


def namesake(
    scenario: dict[str, Any], answer: Callable[[Oracle, dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """The scenario with other keys and ids and the same answers, its own names in them.

    answer: what an oracle says to the questions that `expected` asks. All events of one id have to
    be the same. Raises LookupError when none is found.
    """
    for attempt in range(TRIES):
        copy = _signed_by_others(scenario, f"{scenario['name']}, {attempt}")
        events = (accept(raw) for batch in copy["batches"] for raw in batch)
        oracle = Oracle((event for event in events if event is not None), copy["now"])
        if copy["expected"] == answer(oracle, copy["expected"]):
            return copy
    raise LookupError(f"{scenario['name']} has no namesake.")


def _signed_by_others(scenario: dict[str, Any], name: str) -> dict[str, Any]:
    raws = {raw["id"]: raw for batch in scenario["batches"] for raw in batch}
    authors = {raw["pubkey"]: Author(f"{raw['pubkey']} of {name}") for raw in raws.values()}
    others = {pubkey: author.pubkey for pubkey, author in authors.items()}

    def renamed(value: Any) -> Any:
        text = json.dumps(value)
        for old, new in others.items():
            text = text.replace(old, new)
        return json.loads(text)

    @functools.cache
    def sign(id_: str) -> Raw:
        # After what it names, whose ids stand in it.
        text = json.dumps(raws[id_])
        for named in raws:
            if named != id_ and named in text:
                sign(named)
        author = authors[raws[id_]["pubkey"]]
        raw = renamed(raws[id_])
        event = an_event(
            raw["kind"], author, content=raw["content"], tags=raw["tags"], at=raw["created_at"] - T
        )
        others[id_], others[raws[id_]["sig"]] = event.id, event.sig
        return as_json(event)

    batches = [[sign(raw["id"]) for raw in batch] for batch in scenario["batches"]]
    return scenario | {"batches": batches, "expected": renamed(scenario["expected"])}
