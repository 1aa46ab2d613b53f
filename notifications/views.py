"""The notification endpoints, each for one person alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from funnel import clock
from funnel.auth import PersonalViewSet
from funnel.errors import DatabaseUnavailable
from funnel.nostr import HEX_64, MAX_CREATED_AT
from funnel.openapi import described
from funnel.paging import InvalidCursor, place_cursor, read_cursor
from notifications import queries
from notifications.queries import MAX_FOUND, Found, Place
from notifications.read_marks import Read, mark_read, read_by
from notifications.serializers import (
    Marked,
    MarkReadParams,
    NotificationPage,
    NotificationsParams,
    PersonParams,
)

log = structlog.get_logger(__name__)

LIST = "notifications"


class NotificationViewSet(PersonalViewSet):
    @described(NotificationsParams, NotificationPage)
    def list(self, request: Request, pubkey: str) -> Response:
        """What others did that concerns oneself, the newest first.

        For the owner of the pubkey alone (NIP-98).
        """
        now, params = clock.now(), NotificationsParams.of(request, pubkey=pubkey)
        found = queries.notifications(
            now=now,
            pubkey=params["pubkey"],
            read=read_by(params["pubkey"]),
            row_limit=params["limit"],
            after=place_in(params),
            types=params["types"],
            unread_only=params["unread_only"],
        )
        return Response(
            {
                "notifications": queries.shown(found.rows, now=now),
                "unread_count": found.unread_count,
                "next_cursor": next_cursor(found),
                "has_more": found.has_more,
            }
        )

    @described(MarkReadParams, Marked, path=PersonParams)
    def mark_read(self, request: Request, pubkey: str) -> Response:
        """Marks one's notifications as read: those that are named, or all.

        For the owner of the pubkey alone (NIP-98).
        """
        now, own = clock.now(), PersonParams.validated({"pubkey": pubkey})["pubkey"]
        ids = MarkReadParams.of_body(request).get("notification_ids")
        read, count = newly_read(own, ids, now=now)
        if count:
            try:
                mark_read(own, read)
            except (DatabaseError, InterfaceError) as error:
                log.warning("read_marks_unavailable", error=type(error).__name__)
                raise DatabaseUnavailable from error
        return Response({"success": True, "marked_count": count})


def place_in(params: Mapping[str, Any]) -> Place:
    """Where the page begins. The web client brings a cursor, the phone a time and perhaps an id."""
    before = params["before"]
    if not before:
        return Place()
    wrong = ValidationError({"before": "must be a next_cursor of this list or Unix seconds."})
    if before.isascii() and before.isdigit():
        # Longer numbers are not even read: that takes a time of its own.
        if len(before) > len(str(MAX_CREATED_AT)) or int(before) > MAX_CREATED_AT:
            raise wrong
        return Place(int(before), params["before_id"])
    try:
        place = read_cursor(before, of=LIST).place
    except InvalidCursor as error:
        raise wrong from error
    if place is None:
        raise wrong
    return Place(*place)


def next_cursor(found: Found) -> str | None:
    if not found.has_more:
        return None
    last = found.rows[-1]
    return place_cursor([last["created_at"], last["event_id"]], of=LIST)


def newly_read(pubkey: str, ids: list[str] | None, *, now: int) -> tuple[Read, int]:
    """What of these notifications is unread until now, and how many they are. ids: None, all."""
    if ids is not None:
        ids = [id_ for id_ in ids if HEX_64.fullmatch(id_)]
        if not ids:
            return Read(), 0
    found = queries.notifications(
        now=now,
        pubkey=pubkey,
        read=read_by(pubkey),
        row_limit=MAX_FOUND,
        unread_only=True,
        among=ids or (),
    )
    # What is dated a little ahead of the clock must not make read whatever happens until then.
    present = [row["created_at"] for row in found.rows if row["created_at"] <= now]
    if ids is None and present:
        ahead = [row for row in found.rows if row["created_at"] > now]
        return Read(present[0], times_of(ahead)), found.unread_count
    return Read(ids=times_of(found.rows)), len(found.rows)


def times_of(rows: list[queries.Row]) -> dict[str, int]:
    return {row["event_id"]: row["created_at"] for row in rows}
