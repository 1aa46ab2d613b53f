"""Numbers of ClickHouse for Prometheus: fresh enough, never waited for, never of the past."""

from __future__ import annotations

import threading
import time

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from analytics.observer import ENGAGEMENT, Measurement, Observer, product, state
from funnel.clickhouse import ClickhouseUnavailable
from tests.builders import a_reaction, a_video, alice, bob
from tests.published import NOW, publish


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """An observer of one number that counts how often it was measured."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.measured = 0
        self.failure: Exception | None = None
        self.may_end = threading.Event()
        self.may_end.set()
        self.observer = Observer([Measurement(self.measure, seconds=30)], clock=self.clock)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self.observer)

    def measure(self, now):
        self.may_end.wait(10)
        self.measured += 1
        if self.failure:
            raise self.failure
        return [GaugeMetricFamily("tests_measured", "How often.", value=self.measured)]

    def value(self, name="tests_measured"):
        return self.registry.get_sample_value(name)

    def settle(self):
        """Until no measurement is under way."""
        deadline = time.monotonic() + 10
        while self.observer._measuring.locked():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def watched():
    return Watched()


def samples(families):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_first_scrape_has_numbers_already(watched):
    assert 1 == watched.value()
    assert 1 == watched.value("clickhouse_up")


def test_numbers_are_measured_again_when_they_are_old_and_not_before(watched):
    watched.value()
    watched.settle()
    watched.clock.seconds += 29
    watched.value()
    watched.settle()
    assert 1 == watched.measured

    watched.clock.seconds += 1
    watched.value()
    watched.settle()

    assert 2 == watched.value()


def test_a_scrape_does_not_wait_for_a_measurement_that_hangs(watched):
    watched.value()
    watched.settle()
    watched.clock.seconds += 31
    watched.may_end.clear()

    assert [1, 1] == [watched.value(), watched.value()]

    watched.may_end.set()
    watched.settle()
    assert 2 == watched.value()


def test_while_clickhouse_is_away_its_last_numbers_are_not_shown_as_if_they_were_new(watched):
    watched.value()
    watched.settle()
    watched.failure = ClickhouseUnavailable(210)
    watched.clock.seconds += 31
    watched.value()
    watched.settle()

    assert watched.value() is None
    assert 0 == watched.value("clickhouse_up")


def test_the_state_has_every_table_and_disk(clickhouse):
    publish(a_video(alice))

    numbers = samples(state(int(time.time())))

    assert 1 == numbers["clickhouse_table_rows", "events_local"]
    assert 1 == numbers["clickhouse_table_parts", "events_local"]
    assert 0 < numbers["clickhouse_disk_free_bytes", "default"]
    assert (
        numbers["clickhouse_disk_free_bytes", "default"]
        < numbers["clickhouse_disk_total_bytes", "default"]
    )
    assert 0 <= numbers["read_model_age_seconds",] < 60


def test_the_product_has_people_videos_and_engagement(clickhouse):
    video = a_video(alice)
    publish(video, a_reaction(video, bob))

    numbers = samples(product(NOW))

    assert 1 == numbers["product_videos",]
    assert 1 == numbers["product_engagement", "reactions"]
    assert len(ENGAGEMENT) == sum(1 for name, *_ in numbers if name == "product_engagement")
    assert 2 == numbers["product_active_users", "month"]
