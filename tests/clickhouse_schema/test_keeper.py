"""The loop around the projector: its numbers, its health, and what a failed pass leaves."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from clickhouse_schema.keeper import QUIET_REST_SECONDS, QUIET_SECONDS, Keeper
from clickhouse_schema.projector import Projector
from tests.builders import T, a_video, alice, as_json
from tests.clickhouse_schema.test_projector import BreakingDoor, put_behind
from tests.delivery import Delivery

REST_SECONDS = 0.05
# The tests' projector looks at what arrives in the next second too.
COVERED = pytest.approx(-1, abs=0.002)


@pytest.fixture
def delivery(clickhouse):
    return Delivery(clickhouse, now=T)


class Clock:
    seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keeper(delivery, clock):
    return Keeper(delivery.projector, rest_seconds=REST_SECONDS, clock=clock)


def number(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


def test_a_pass_is_counted_and_the_age_begins_anew(keeper, delivery, clock):
    passes, events = (
        number(name) for name in ("projector_pass_duration_seconds_count", "projector_events_total")
    )
    delivery.write([as_json(a_video(alice))])
    clock.seconds += 100
    assert 100 == number("projector_read_model_age_seconds")
    assert ["100 s behind"] == keeper.obstacles()

    keeper.turn()

    assert passes + 1 == number("projector_pass_duration_seconds_count")
    assert events + 1 == number("projector_events_total")
    assert COVERED == number("projector_read_model_age_seconds")
    assert [] == keeper.obstacles()


def test_it_looks_often_while_events_come_and_seldom_after(keeper, delivery, clock):
    assert QUIET_REST_SECONDS == keeper.turn()

    delivery.write([as_json(a_video(alice))])
    # Meanwhile more may have come.
    assert 0 == keeper.turn()
    assert REST_SECONDS == keeper.turn()

    clock.seconds += QUIET_SECONDS
    assert QUIET_REST_SECONDS == keeper.turn()


def test_what_waits_behind_a_full_chunk_counts_as_age(keeper, delivery, monkeypatch):
    monkeypatch.setattr("clickhouse_schema.projector.CHUNK_EVENTS", 1)
    delivery.write([as_json(a_video(alice, "old"))])
    delivery.write([as_json(a_video(alice, "new"))])

    # More waits, so it goes on at once.
    assert 0 == keeper.turn()
    assert 0 < keeper.age_seconds()

    while keeper.turn() == 0:
        pass
    assert COVERED == keeper.age_seconds()


def test_a_pass_that_fails_is_counted_and_makes_it_unready_until_one_succeeds(delivery):
    keeper = Keeper(
        Projector(BreakingDoor(delivery.clickhouse, "write_state"), lag_seconds=-1),
        rest_seconds=REST_SECONDS,
    )
    failures = number("projector_failures_total", error="ClickhouseUnavailable")
    delivery.write([as_json(a_video(alice))])

    rest = keeper.turn()

    assert rest > REST_SECONDS
    assert failures + 1 == number("projector_failures_total", error="ClickhouseUnavailable")
    assert ["ClickHouse is not available (code 0)."] == keeper.obstacles()
    assert [] == keeper.health()

    put_behind(keeper._projector, delivery.clickhouse)
    keeper.turn()

    assert [] == keeper.obstacles()


def test_a_loop_that_does_not_come_round_is_not_healthy(keeper, clock):
    clock.seconds += 1000

    assert ["no sign of life for 1000 s"] == keeper.health()
