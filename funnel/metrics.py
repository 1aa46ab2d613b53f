"""`GET /metrics` for Prometheus: all workers' numbers where PROMETHEUS_MULTIPROC_DIR is set."""

from __future__ import annotations

from django.http import HttpResponse
from django_prometheus.exports import ExportToDjangoView
from rest_framework.request import Request
from rest_framework.views import APIView


class MetricsView(APIView):
    def get(self, request: Request) -> HttpResponse:
        page: HttpResponse = ExportToDjangoView(request)
        page["Cache-Control"] = "no-store"
        return page
