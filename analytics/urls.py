"""Routes of the analytics endpoints, below /api/."""

from __future__ import annotations

from django.urls import path

from analytics.views import (
    CreatorAnalyticsViewSet,
    CreatorViewSet,
    HashtagViewSet,
    LeaderboardViewSet,
    ProfileViewSet,
    SiteViewSet,
    UserViewSet,
)

urlpatterns = [
    path("stats", SiteViewSet.as_view({"get": "totals"}), name="totals"),
    path("stats/active-users", SiteViewSet.as_view({"get": "active_users"}), name="active-users"),
    # Before the pubkeys, of which it is none.
    path("users/bulk", UserViewSet.as_view({"post": "bulk"}), name="bulk-users"),
    path("users/<str:pubkey>", UserViewSet.as_view({"get": "retrieve"}), name="user"),
    path("users/<str:pubkey>/social", UserViewSet.as_view({"get": "social"}), name="social"),
    path(
        "users/<str:pubkey>/followers",
        UserViewSet.as_view({"get": "followers"}),
        name="followers",
    ),
    path(
        "users/<str:pubkey>/following",
        UserViewSet.as_view({"get": "following"}),
        name="following",
    ),
    path(
        "users/<str:pubkey>/analytics",
        CreatorAnalyticsViewSet.as_view({"get": "retrieve"}),
        name="creator-analytics",
    ),
    path("search/profiles", ProfileViewSet.as_view({"get": "search"}), name="search-profiles"),
    path("hashtags", HashtagViewSet.as_view({"get": "popular"}), name="hashtags"),
    path(
        "hashtags/trending",
        HashtagViewSet.as_view({"get": "trending"}),
        name="trending-hashtags",
    ),
    path("categories", HashtagViewSet.as_view({"get": "categories"}), name="categories"),
    path("creators/top", CreatorViewSet.as_view({"get": "top"}), name="top-creators"),
    path(
        "leaderboard/videos",
        LeaderboardViewSet.as_view({"get": "videos"}),
        name="leaderboard-videos",
    ),
    path(
        "leaderboard/creators",
        LeaderboardViewSet.as_view({"get": "creators"}),
        name="leaderboard-creators",
    ),
]
