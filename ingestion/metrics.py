"""The worker's numbers for Prometheus."""

from __future__ import annotations

from collections import Counter as Tallies
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

from funnel.nostr import Kind

KNOWN_KINDS = frozenset(int(kind) for kind in Kind)
# NIP-01's prefixes and NIP-42's; whatever else a relay writes is "other".
CLOSED_REASONS = frozenset(
    {"auth-required", "restricted", "rate-limited", "blocked", "invalid", "error", "unsupported"}
)

EVENTS_RECEIVED = Counter(
    "ingestion_events_received_total",
    "Events that relays sent, copies and invalid ones included.",
    ["kind"],
)
RELAY_EVENTS = Counter(
    "ingestion_relay_events_total",
    "Events by the relay that sent them, copies and invalid ones included.",
    ["relay"],
)
EVENTS_WRITTEN = Counter(
    "ingestion_events_written_total", "Events that ClickHouse has acknowledged."
)
EVENTS_REJECTED = Counter(
    "ingestion_events_rejected_total", "Events that were not stored, by reason.", ["reason"]
)
# There from the start: Prometheus sees no increase in a series that begins with its first event.
EVENTS_REJECTED.labels("refused_by_clickhouse")
DUPLICATES = Counter(
    "ingestion_duplicates_total", "Copies that were recognised before they were checked."
)
SHARED_IDS_FOUND = Counter(
    "ingestion_shared_ids_found_total", "Copies that another worker had stored, found in Redis."
)
SHARED_IDS_FAILED = Counter(
    "ingestion_shared_ids_failed_total", "Times that Redis did not answer and was left alone."
)
BATCH_SIZE = Histogram(
    "ingestion_batch_size",
    "Rows of one INSERT.",
    buckets=(1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000),
)
WRITE_LATENCY = Histogram(
    "ingestion_clickhouse_write_latency_seconds",
    "Time of one INSERT, from the call to the acknowledgement.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
WRITES_FAILED = Counter(
    "ingestion_clickhouse_writes_failed_total", "INSERTs that failed and were tried again."
)
NOTES_FAILED = Counter(
    "ingestion_notes_failed_total",
    "Times that what the admin shows, samples or traffic, could not be saved.",
    ["what"],
)
NOTES_FAILED.labels("samples")
NOTES_FAILED.labels("traffic")
LAG = Gauge("ingestion_lag_seconds", "Age, when written, of the newest event of the last batch.")
UNACKNOWLEDGED = Gauge(
    "ingestion_unacknowledged_events", "Events in memory that ClickHouse has not acknowledged."
)
RECONNECTS = Counter(
    "ingestion_reconnects_total", "Connections that were lost or could not be made.", ["relay"]
)
SUBSCRIPTIONS_CLOSED = Counter(
    "ingestion_subscriptions_closed_total",
    "Subscriptions that relays refused or ended, by the reason they gave.",
    ["relay", "reason"],
)
SIGN_IN_IMPOSSIBLE = Gauge(
    "ingestion_sign_in_impossible",
    "1 while a relay asks for a sign-in and RELAY_SECRET_KEY is not set.",
    ["relay"],
)
PAGES_TIMED_OUT = Counter(
    "ingestion_pages_timed_out_total", "Pages of a catch-up that got no EOSE in time.", ["relay"]
)
CROWDED_SECONDS = Counter(
    "ingestion_crowded_seconds_total",
    "Seconds with more events than a relay's page, read by the kinds and authors that are known.",
    ["relay"],
)
UNREACHABLE_SECONDS = Counter(
    "ingestion_unreachable_seconds_total",
    "Seconds of which a relay holds more events than it can be brought to give.",
    ["relay"],
)
CAUGHT_UP = Gauge(
    "ingestion_caught_up", "1 when a relay's stored events have all been written.", ["relay"]
)
CURSOR = Gauge(
    "ingestion_cursor_timestamp_seconds",
    "Everything up to this created_at is completely synced; its age is time() minus this.",
    ["relay"],
)


@dataclass(slots=True)
class Traffic:
    """Events since the last saving: by the relay that sent them, and rejected ones by reason."""

    received: Tallies[str] = field(default_factory=Tallies)
    rejected: Tallies[str] = field(default_factory=Tallies)

    def __bool__(self) -> bool:
        return bool(self.received or self.rejected)


class EventTally:
    """Counts in plain numbers what happens for each event; one thread only.

    A Prometheus counter takes a lock and a look-up by label each time, which is a tenth of all that
    an event may cost.
    """

    def __init__(self) -> None:
        self._received: Tallies[int | None] = Tallies()
        self._relays: Tallies[str] = Tallies()
        self._rejected: Tallies[str] = Tallies()
        self._duplicates = 0
        self._traffic = Traffic()

    def receive(self, raw: object, relay: str) -> None:
        kind = raw.get("kind") if type(raw) is dict else None
        self._received[kind if type(kind) is int and kind in KNOWN_KINDS else None] += 1
        self._relays[relay] += 1

    def reject(self, reason: str) -> None:
        self._rejected[reason] += 1

    def recognise_duplicate(self) -> None:
        self._duplicates += 1

    def publish(self) -> None:
        """Hands what was counted since the last time to Prometheus."""
        for kind, count in self._received.items():
            EVENTS_RECEIVED.labels("other" if kind is None else str(kind)).inc(count)
        for relay, count in self._relays.items():
            RELAY_EVENTS.labels(relay).inc(count)
        for reason, count in self._rejected.items():
            EVENTS_REJECTED.labels(reason).inc(count)
        DUPLICATES.inc(self._duplicates)
        self._traffic.received.update(self._relays)
        self._traffic.rejected.update(self._rejected)
        self._received.clear()
        self._relays.clear()
        self._rejected.clear()
        self._duplicates = 0

    def take_traffic(self) -> Traffic:
        """What has been published since this was asked the last time."""
        traffic, self._traffic = self._traffic, Traffic()
        return traffic
