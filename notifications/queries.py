"""Questions about what others did that concerns one person.

Times are Unix seconds, `now` is the clock of the answer. Every function raises
funnel.clickhouse.ClickhouseError or one of its subclasses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from funnel.clickhouse import connections
from funnel.nostr import MAX_CREATED_AT
from funnel.sql import load_query
from notifications.read_marks import Read

Row = dict[str, Any]

NOTIFICATIONS = load_query(__file__, "notifications")
DETAILS = load_query(__file__, "details")

# What the query gives at most at once.
MAX_FOUND = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the notification with this time and id; without an id, with the
    first one that is not later."""

    created_at: int = MAX_CREATED_AT
    id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """rows: of notifications.sql. unread_count: of all that there are, and not of the page."""

    rows: list[Row]
    unread_count: int
    has_more: bool


def notifications(
    *,
    now: int,
    pubkey: str,
    read: Read,
    row_limit: int,
    after: Place | None = None,
    types: Sequence[str] = (),
    unread_only: bool = False,
    among: Sequence[str] = (),
) -> Found:
    """Notifications of the pubkey, the newest first, at the same second by their ids.

    row_limit: at most MAX_FOUND. types, among: the words and ids that pass; of none, all.
    """
    after = after or Place()
    found = connections["reader"].select(
        NOTIFICATIONS,
        {
            "now": now,
            "pubkey": pubkey,
            "read_until": read.until,
            "read_ids": list(read.ids),
            "types": list(types),
            "unread_only": int(unread_only),
            "among": list(among),
            "after_created_at": after.created_at,
            "after_id": after.id,
            # One more than is shown tells whether there are more.
            "row_limit": row_limit + 1,
        },
    )
    rows = [row for row in found if row["event_id"]]
    return Found(rows[:row_limit], found[0]["unread_count"], len(rows) > row_limit)


def shown(rows: Sequence[Row], *, now: int) -> list[Row]:
    """The rows of `notifications` as apps read them (docs/api.md)."""
    if not rows:
        return []
    details = connections["reader"].select(
        DETAILS,
        {
            "now": now,
            "event_ids": [row["event_id"] for row in rows],
            "actors": [row["actor"] for row in rows],
            "video_keys": [row["video_key"] for row in rows],
        },
    )
    by_id = {each["event_id"]: each for each in details}
    return [notification(row, by_id[row["event_id"]]) for row in rows]


def notification(row: Row, details: Row) -> Row:
    video_id = details["video_id"] or None
    is_comment = row["type"] in ("comment", "reply")
    return {
        "id": row["event_id"],
        "source_pubkey": row["actor"],
        "source_event_id": row["event_id"],
        "source_kind": row["kind"],
        "source_created_at": row["created_at"],
        "source_profile": {
            name: details[name] for name in ("name", "display_name", "picture", "nip05")
        }
        if details["has_profile"]
        else None,
        "notification_type": row["type"],
        "created_at": row["created_at"],
        "read": not row["unread"],
        "content": details["content"],
        "comment_content": details["content"] if is_comment else None,
        "target_comment_id": row["parent"] or None,
        "referenced_event_id": video_id,
        "referenced_event_title": details["title"] if video_id else None,
        "referenced_d_tag": details["d_tag"] if video_id else None,
        "referenced_video": {
            name: details[name] for name in ("title", "thumbnail", "d_tag", "blurhash")
        }
        if video_id
        else None,
        "root_event_id": video_id,
        "root_event_kind": details["video_kind"] if video_id else None,
        "root_event_pubkey": details["video_pubkey"] if video_id else None,
        "root_d_tag": details["d_tag"] if video_id else None,
        "root_addressable_id": details["address"] or None,
    }
