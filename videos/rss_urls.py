"""Routes of the RSS feeds, below /feed/."""

from __future__ import annotations

from django.urls import path

from videos.rss import RssViewSet

urlpatterns = [
    path("latest", RssViewSet.as_view({"get": "latest"}), name="rss-latest"),
    path("trending", RssViewSet.as_view({"get": "trending"}), name="rss-trending"),
    path("tag/<str:tag>", RssViewSet.as_view({"get": "tag"}), name="rss-tag"),
]
