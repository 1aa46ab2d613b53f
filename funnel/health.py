"""`GET /health`: whether this process can answer questions now."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from funnel.clickhouse import ClickhouseError, connections
from funnel.errors import RETRY_AFTER_SECONDS
from funnel.openapi import described
from funnel.params import Params
from funnel.sql import load_query

log = structlog.get_logger(__name__)

PING = load_query(__file__, "ping")


class Health(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="ok or unavailable.")


class HealthView(APIView):
    @described(Params, Health)
    def get(self, request: Request) -> Response:
        """Whether ClickHouse answers the API.

        503 with `status` and `error` where it does not.
        """
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
