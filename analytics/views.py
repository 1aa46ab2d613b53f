"""The analytics endpoints: each asks one query and answers its rows."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from analytics import queries
from funnel import clock
from funnel.caching import STATS_SECONDS, cached


class TotalsViewSet(ViewSet):
    @cached(seconds=STATS_SECONDS)
    def retrieve(self, request: Request) -> Response:
        return Response(queries.totals(now=clock.now()))
