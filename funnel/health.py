"""`GET /health`: whether this process can answer questions now."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from funnel.clickhouse import ClickhouseError, connections
from funnel.errors import RETRY_AFTER_SECONDS
from funnel.sql import load_query

log = structlog.get_logger(__name__)

PING = load_query(__file__, "ping")


class HealthView(APIView):
    def get(self, request: Request) -> Response:
        try:
            connections["reader"].select(PING, {})
        except ClickhouseError as error:
            log.warning("health_check_failed", error=type(error).__name__, code=error.code)
            return Response(
                {"status": "unavailable", "error": "ClickHouse does not answer."},
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                headers={"Cache-Control": "no-store", "Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})
