"""Routes of the video endpoints, below /api/."""

from __future__ import annotations

from django.urls import path

from videos.recommendations import RecommendationsViewSet
from videos.views import (
    AuthorViewSet,
    BulkViewSet,
    EventViewSet,
    FeaturedTabsViewSet,
    SearchViewSet,
    SearchWithCursorViewSet,
    VideoListViewSet,
    VideoViewSet,
)

# `path` in a reference, because a d tag may hold slashes, and an encoded one arrives here decoded.
urlpatterns = [
    path("videos", VideoListViewSet.as_view({"get": "list"}), name="videos"),
    path("videos/bulk", BulkViewSet.as_view({"post": "rows"}), name="videos-bulk"),
    path("videos/stats/bulk", BulkViewSet.as_view({"post": "stats"}), name="video-stats-bulk"),
    path(
        "videos/<path:reference>/stats", VideoViewSet.as_view({"get": "stats"}), name="video-stats"
    ),
    path(
        "videos/<path:reference>/views", VideoViewSet.as_view({"get": "views"}), name="video-views"
    ),
    path(
        "videos/<path:reference>/likers",
        VideoViewSet.as_view({"get": "likers"}),
        name="video-likers",
    ),
    path(
        "videos/<path:reference>/timeseries",
        VideoViewSet.as_view({"get": "timeseries"}),
        name="video-timeseries",
    ),
    path("videos/<path:reference>", VideoViewSet.as_view({"get": "retrieve"}), name="video"),
    path("v2/videos", VideoListViewSet.as_view({"get": "list_with_cursor"}), name="v2-videos"),
    path(
        "v2/videos/<path:reference>/comments",
        VideoViewSet.as_view({"get": "comments"}),
        name="video-comments",
    ),
    path("event/<str:reference>", EventViewSet.as_view({"get": "retrieve"}), name="event"),
    path(
        "users/<str:pubkey>/videos",
        AuthorViewSet.as_view({"get": "videos"}),
        name="author-videos",
    ),
    path("users/<str:pubkey>/feed", AuthorViewSet.as_view({"get": "feed"}), name="following-feed"),
    path(
        "users/<str:pubkey>/collabs", AuthorViewSet.as_view({"get": "collabs"}), name="user-collabs"
    ),
    path(
        "users/<str:pubkey>/recommendations",
        RecommendationsViewSet.as_view({"get": "of_user"}),
        name="recommendations",
    ),
    path(
        "feed/recommended",
        RecommendationsViewSet.as_view({"get": "feed"}),
        name="recommended-feed",
    ),
    path("featured-tabs", FeaturedTabsViewSet.as_view({"get": "list"}), name="featured-tabs"),
    path(
        "featured-tabs/<str:tab>/videos",
        FeaturedTabsViewSet.as_view({"get": "videos"}),
        name="featured-tab-videos",
    ),
    path("search", SearchViewSet.as_view({"get": "list"}), name="search"),
    path("v2/search", SearchWithCursorViewSet.as_view({"get": "list"}), name="v2-search"),
]
