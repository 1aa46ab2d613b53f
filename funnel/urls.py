"""The route table of the whole service."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from funnel.api_pages import DocumentView, SwaggerView
from funnel.health import HealthView
from funnel.metrics import MetricsView

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("api/health", HealthView.as_view(), name="api-health"),
    path("api/openapi.yaml", DocumentView.as_view(), name="openapi"),
    path("api/docs", SwaggerView.as_view(), name="swagger"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("api/", include("videos.urls")),
    path("api/", include("analytics.urls")),
    path("api/", include("notifications.urls")),
    path("feed/", include("videos.rss_urls")),
    path("admin/", admin.site.urls),
]
