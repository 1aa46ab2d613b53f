"""What the API counts of its requests, and `GET /metrics` for Prometheus, of all workers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django_prometheus.middleware import Metrics
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


class DjangoMetrics(Metrics):  # type: ignore[misc]
    """Those metrics of django-prometheus that tell views apart, by its names and its labels.

    Its middlewares write twenty numbers for each request, most of them a sum of others, which took
    a third of the time of a kept answer.
    """

    SHOWN: ClassVar = {
        "django_http_requests_total_by_method",
        "django_http_requests_total_by_view_transport_method",
        "django_http_requests_latency_seconds_by_view_method",
        "django_http_responses_total_by_status_view_method",
        "django_http_exceptions_total_by_type",
        "django_http_exceptions_total_by_view",
    }

    def register_metric(self, metric_cls: Any, name: str, *rest: Any, **options: Any) -> Any:
        # The others do not exist, rather than stay at zero.
        if name not in self.SHOWN:
            return None
        return super().register_metric(metric_cls, name, *rest, **options)


DJANGO: Any = DjangoMetrics.get_instance()
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


class Counts(NamedTuple):
    """What one request is counted in."""

    counters: tuple[Counter, ...]
    seconds: tuple[Histogram, ...]


# Each of the library's look-ups by label costs as much as the count itself.
@cache
def counts_of(endpoint: str, view: str, method: str, transport: str, status: int) -> Counts:
    return Counts(
        (
            REQUESTS.labels(endpoint, status),
            DJANGO.requests_by_method.labels(method),
            DJANGO.requests_by_view_transport_method.labels(view, transport, method),
            DJANGO.responses_by_status_view_method.labels(status, view, method),
        ),
        (
            REQUEST_SECONDS.labels(endpoint),
            DJANGO.requests_latency_by_view_method.labels(view, method),
        ),
    )


def count_request(
    request: HttpRequest, match: ResolverMatch | None, status: int, seconds: float
) -> None:
    counts = counts_of(
        endpoint(match),
        view_of(match),
        # Anybody may make others up.
        request.method if request.method in METHODS else "<invalid method>",
        request.scheme or "http",
        status,
    )
    for counter in counts.counters:
        counter.inc()
    for histogram in counts.seconds:
        histogram.observe(seconds)


def count_exception(match: ResolverMatch | None, exception: Exception) -> None:
    """A bug: what a view knows how to answer never gets here."""
    DJANGO.exceptions_by_type.labels(type(exception).__name__).inc()
    DJANGO.exceptions_by_view.labels(view_of(match)).inc()


def view_of(match: ResolverMatch | None) -> str:
    """The word of django-prometheus for a route; unlike `endpoint`, each page of the admin's."""
    return (match and match.view_name) or "<unnamed view>"


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
