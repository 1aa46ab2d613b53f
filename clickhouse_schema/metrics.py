"""The projector's numbers for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PASS_SECONDS = Histogram(
    "projector_pass_duration_seconds",
    "Time of one complete pass.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
EVENTS = Counter(
    "projector_events_total",
    "Events that passes looked at; some arrivals twice, and again when they fall due.",
)
FAILURES = Counter(
    "projector_failures_total", "Passes that failed and were tried again, by error.", ["error"]
)
AGE = Gauge(
    "projector_read_model_age_seconds",
    "All that had arrived so long ago is in the answers; more may be.",
)
