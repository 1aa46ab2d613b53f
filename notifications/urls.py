"""Routes of the notification endpoints, below /api/."""

from __future__ import annotations

from django.urls import path

from notifications.views import NotificationViewSet

urlpatterns = [
    path(
        "users/<str:pubkey>/notifications",
        NotificationViewSet.as_view({"get": "list"}),
        name="notifications",
    ),
    path(
        "users/<str:pubkey>/notifications/read",
        NotificationViewSet.as_view({"post": "mark_read"}),
        name="mark-notifications-read",
    ),
]
