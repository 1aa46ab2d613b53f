"""A short run of the checker; `make chaos` is the long one."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.chaos.run import Plan, run


@pytest.mark.timeout(300)
def test_whatever_fails_nothing_is_lost_and_every_count_is_the_oracles():
    seed = int(os.environ["FUZZ_SEED"])
    plan = Plan(events=2_000, faults=4, seed=seed, pause_seconds=(0.5, 1.5))

    numbers = asyncio.run(run(plan, print))

    assert 2_000 >= numbers["events"] + numbers["views"] > 1_900
    assert 4 == sum(numbers["faults"].values())
    assert 300 > numbers["parts"]
