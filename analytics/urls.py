"""Routes of the analytics endpoints, below /api/."""

from __future__ import annotations

from django.urls import path

from analytics.views import TotalsViewSet

urlpatterns = [
    path("stats", TotalsViewSet.as_view({"get": "retrieve"}), name="totals"),
]
