"""What the API counts of its requests, and `GET /metrics` for Prometheus, of all workers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from django.http import HttpResponse
from django.urls import ResolverMatch
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.request import Request
from rest_framework.views import APIView

REQUESTS = Counter(
    "api_requests_total",
    "Requests, by the name of the route and the status.",
    ["endpoint", "status"],
)
REQUEST_SECONDS = Histogram(
    "api_request_duration_seconds",
    "Time from a request to its answer, all middlewares but the counting ones included.",
    ["endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def endpoint(match: ResolverMatch | None) -> str:
    """The name of a route, one of those that the code has; "unknown" where there is none.

    The admin's pages are one: they are many, and seldom asked for.
    """
    if match is None:
        return "unknown"
    return "admin" if "admin" in match.app_names else match.view_name


def count_request(match: ResolverMatch | None, status: int, seconds: float) -> None:
    name = endpoint(match)
    requests_of(name, status).inc()
    seconds_of(name).observe(seconds)


# Each of the library's look-ups by label costs as much as the count itself.
@cache
def requests_of(name: str, status: int) -> Counter:
    return REQUESTS.labels(name, status)


@cache
def seconds_of(name: str) -> Histogram:
    return REQUEST_SECONDS.labels(name)


# What is measured when it is asked for, and is the same whichever worker measures it.
OBSERVED = CollectorRegistry(auto_describe=False)


def counted() -> CollectorRegistry:
    """What has been counted: in all workers where they put it together (gunicorn.conf.py)."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def totals(metric: str) -> Mapping[tuple[tuple[str, str], ...], float]:
    """The values of a metric's samples by their labels, in the order of the labels' names."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in counted().collect()
        for sample in family.samples
        if sample.name == metric
    }


class MetricsView(APIView):
    def get(self, request: Request) -> HttpResponse:
        page = generate_latest(counted()) + generate_latest(OBSERVED)
        return HttpResponse(
            page, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        )
