"""What ClickHouse holds, as numbers on the API's `/metrics`, measured from time to time.

A scrape never waits for ClickHouse: it gets the numbers of the last measurement, and the first one
after they have grown old starts the next measurement in a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from analytics import queries
from funnel import clock
from funnel.clickhouse import ClickhouseError, connections

log = structlog.get_logger(__name__)

Families: TypeAlias = list[GaugeMetricFamily]

# How old numbers may be. Those of the second kind go over all videos and a month of events.
STATE_SECONDS = 30.0
PRODUCT_SECONDS = 300.0
# How long the first scrape after the start waits for the first measurement.
FIRST_SECONDS = 2.0

ENGAGEMENT = ("reactions", "comments", "reposts", "quotes", "bookmarks", "zaps", "views", "loops")


class Measurement:
    """Some numbers and how old they may be; none while they cannot be had."""

    def __init__(self, measure: Callable[[int], Families], *, seconds: float) -> None:
        self.measure = measure
        self.seconds = seconds
        self.families: Families = []
        self.measured_at: float | None = None

    def is_due(self, now: float) -> bool:
        return self.measured_at is None or now - self.measured_at >= self.seconds

    def take(self, now: float) -> bool:
        """Measures; whether ClickHouse answered. What cannot be measured is not shown as it was."""
        try:
            self.families = self.measure(clock.now())
        except ClickhouseError as error:
            log.warning("measurement_failed", error=str(error))
            self.families = []
            return False
        finally:
            self.measured_at = now
        return True


class Observer(Collector):
    """The numbers, for whatever thread asks."""

    def __init__(
        self,
        measurements: Sequence[Measurement] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measurements = (
            [
                Measurement(state, seconds=STATE_SECONDS),
                Measurement(product, seconds=PRODUCT_SECONDS),
            ]
            if measurements is None
            else list(measurements)
        )
        self._clock = clock
        self._measuring = threading.Lock()
        self._has_measured = threading.Event()
        self._is_up = False

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._clock()
        if any(each.is_due(now) for each in self._measurements) and self._measuring.acquire(
            blocking=False
        ):
            threading.Thread(target=self._measure, name="observer", daemon=True).start()
        if self._has_measured.wait(FIRST_SECONDS):
            yield reachability(self._is_up)
        for each in self._measurements:
            yield from each.families

    def _measure(self) -> None:
        try:
            for each in self._measurements:
                if each.is_due(now := self._clock()):
                    self._is_up = each.take(now)
        finally:
            self._has_measured.set()
            self._measuring.release()
            # It would stay open as long as the garbage collector likes.
            connections["reader"].close()


def reachability(is_up: bool) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "clickhouse_up",
        "1 when ClickHouse answered the last time that it was measured.",
        value=float(is_up),
    )


def state(now: int) -> Families:
    """How ClickHouse and the read model are at Unix second `now`."""
    rows = GaugeMetricFamily(
        "clickhouse_table_rows", "Rows on disk, copies included.", labels=["table"]
    )
    size = GaugeMetricFamily("clickhouse_table_bytes", "Bytes on disk.", labels=["table"])
    parts = GaugeMetricFamily("clickhouse_table_parts", "Active parts.", labels=["table"])
    crowded = GaugeMetricFamily(
        "clickhouse_table_partition_parts",
        "Active parts of the partition that has most; ClickHouse slows inserts down by it.",
        labels=["table"],
    )
    merges = GaugeMetricFamily(
        "clickhouse_table_merges", "Merges that are under way.", labels=["table"]
    )
    mutations = GaugeMetricFamily(
        "clickhouse_table_mutations", "Mutations that are not done.", labels=["table"]
    )
    for table in queries.tables():
        for family, column in (
            (rows, "rows"),
            (size, "bytes"),
            (parts, "parts"),
            (crowded, "partition_parts"),
            (merges, "merges"),
            (mutations, "mutations"),
        ):
            family.add_metric([table["name"]], table[column])
    free = GaugeMetricFamily("clickhouse_disk_free_bytes", "Room on the disk.", labels=["disk"])
    total = GaugeMetricFamily("clickhouse_disk_total_bytes", "Size of the disk.", labels=["disk"])
    for disk in queries.disks():
        free.add_metric([disk["name"]], disk["free_bytes"])
        total.add_metric([disk["name"]], disk["total_bytes"])
    age = GaugeMetricFamily(
        "read_model_age_seconds",
        "Time since the projector last completed a pass, when it was measured.",
    )
    if (seconds := queries.read_model_age(now=now)) is not None:
        age.add_metric([], seconds)
    return [rows, size, parts, crowded, merges, mutations, free, total, age]


def product(now: int) -> Families:
    """What the service holds at Unix second `now`, and how many people take part."""
    active = GaugeMetricFamily(
        "product_active_users",
        "People who signed anything in the last day, week, or month of 30 days.",
        labels=["span"],
    )
    for span, people in queries.people_active(now=now).items():
        active.add_metric([span], people)
    of_videos = queries.engagement(now=now)
    videos = GaugeMetricFamily("product_videos", "Live videos.", value=of_videos["videos"])
    new = GaugeMetricFamily(
        "product_new_videos",
        "Live videos that were published in the last day.",
        value=of_videos["videos_of_the_day"],
    )
    engagement = GaugeMetricFamily(
        "product_engagement", "What was done with all live videos, by kind.", labels=["kind"]
    )
    for kind in ENGAGEMENT:
        engagement.add_metric([kind], of_videos[kind])
    return [active, videos, new, engagement]


observer = Observer()
