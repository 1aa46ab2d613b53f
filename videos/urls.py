"""Routes of the video endpoints, below /api/."""

from __future__ import annotations

from django.urls import path

from videos.views import AuthorVideosViewSet, SearchViewSet, VideoViewSet

urlpatterns = [
    path("videos", VideoViewSet.as_view({"get": "list"}), name="videos"),
    # `path`, because a d tag may hold slashes, and an encoded one arrives here decoded.
    path(
        "videos/<path:reference>/stats", VideoViewSet.as_view({"get": "stats"}), name="video-stats"
    ),
    path(
        "users/<str:pubkey>/videos",
        AuthorVideosViewSet.as_view({"get": "list"}),
        name="author-videos",
    ),
    path("search", SearchViewSet.as_view({"get": "list"}), name="search"),
]
