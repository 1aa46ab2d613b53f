"""The rules by which two published apps read our answers, a browser's and a phone's.

Each reader gives the rows that the app would show. A row that it would drop, and a value that would
make it drop the whole answer, is an AssertionError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Row = dict[str, Any]
Get = Callable[[str, dict[str, str]], Any]

HEX_64 = re.compile(r"[0-9a-f]{64}")
COUNTS = ("reactions", "comments", "reposts")
EMBEDDED_COUNTS = ("embedded_likes", "embedded_comments", "embedded_reposts")


def is_integer(value: object) -> bool:
    # What Dart and JSON call an int; Python would count true as one.
    return type(value) is int


def is_number(value: object) -> bool:
    return type(value) in (int, float)


def check_row(row: Any) -> None:
    """What both apps need of every row."""
    assert type(row) is dict
    assert HEX_64.fullmatch(row["id"])
    assert HEX_64.fullmatch(row["pubkey"])
    for name in ("created_at", "published_at", "kind", *COUNTS):
        assert is_integer(row[name]), name
    for name in EMBEDDED_COUNTS:
        assert is_integer(row[name]), name
    for name in ("loops", "views", "engagement_score", "trending_score"):
        assert is_number(row[name]), name
    assert row["embedded_loops"] is None or is_integer(row["embedded_loops"])
    for name in ("title", "content", "thumbnail", "author_name", "author_avatar", "dimensions"):
        assert type(row[name]) is str, name
    assert type(row["platform"]) is str
    assert type(row["classic"]) is bool
    assert all(type(value) is str for tag in row["tags"] for value in tag)
    # Would be taken for an event beside its numbers.
    assert "stats" not in row
    assert "event" not in row


def shown_by_the_browser(rows: Any) -> list[Row]:
    """The browser app drops a row without a d tag, and shows each pubkey:kind:d once."""
    assert type(rows) is list
    for row in rows:
        check_row(row)
        assert row["d_tag"], f"{row['id']} would be dropped"
    coordinates = [(row["pubkey"], row["kind"], row["d_tag"]) for row in rows]
    assert len(coordinates) == len(set(coordinates))
    return list(rows)


def shown_by_the_phone(rows: Any) -> list[Row]:
    """The phone app drops a row without an address to play."""
    assert type(rows) is list
    for row in rows:
        check_row(row)
        assert row["video_url"], f"{row['id']} would be dropped"
    return list(rows)


def shown_by_both(rows: Any) -> list[Row]:
    shown_by_the_phone(rows)
    return shown_by_the_browser(rows)


def unpacked(envelope: Any) -> tuple[list[Row], str | None]:
    """The rows of a v2 answer, and the cursor of the next page where there is one."""
    assert type(envelope) is dict
    assert type(envelope["pagination"]) is dict
    has_more, cursor = (envelope["pagination"][name] for name in ("has_more", "next_cursor"))
    assert type(has_more) is bool
    assert (type(cursor) is str and cursor != "") if has_more else cursor is None
    return envelope["data"], cursor


# --- How they go from page to page ----------------------------------------------------------------


def browser_pages_by_offset(
    get: Get, path: str, *, limit: int, **params: str
) -> Iterator[list[Row]]:
    """An array is the last one when it is short."""
    offset = 0
    while True:
        # The offset is left out while it is 0.
        place = {"offset": str(offset)} if offset else {}
        rows = get(path, {**params, "limit": str(limit), **place})
        yield shown_by_both(rows)
        if len(rows) < limit:
            return
        offset += len(rows)


def browser_pages_by_before(
    get: Get, path: str, *, limit: int, **params: str
) -> Iterator[list[Row]]:
    """In the newest list the next page begins with `created_at` of the last row, shown again."""
    before: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        rows = shown_by_both(get(path, {**params, "limit": str(limit), **before}))
        new = [row for row in rows if row["id"] not in seen]
        yield new
        if len(rows) < limit:
            return
        # A page without anything new would be asked for again and again.
        assert new
        seen |= {row["id"] for row in new}
        before = {"before": str(rows[-1]["created_at"])}


def pages_by_cursor(get: Get, path: str, *, limit: int, **params: str) -> Iterator[list[Row]]:
    """Both go on while `has_more` is true; the browser stops at a page without a row."""
    cursor: dict[str, str] = {}
    while True:
        rows, following = unpacked(get(path, {**params, "limit": str(limit), **cursor}))
        yield shown_by_both(rows)
        if following is None:
            return
        assert rows
        cursor = {"cursor": following}


def phone_pages_of_following(get: Get, path: str, *, limit: int) -> Iterator[list[Row]]:
    """An object, whose `next_cursor` becomes `before`; a short page is the last."""
    before: dict[str, str] = {}
    while True:
        answer = get(path, {"limit": str(limit), **before})
        assert type(answer) is dict
        assert type(answer["has_more"]) is bool
        yield shown_by_both(answer["videos"])
        if len(answer["videos"]) < limit or not answer["has_more"]:
            return
        assert int(answer["next_cursor"]) > 0
        before = {"before": answer["next_cursor"]}


# --- What they make of notifications --------------------------------------------------------------

NOT_SHOWN = {"mention", "zap", "list_add"}
KNOWN = {"reaction", "reply", "repost", "comment", "follow"} | NOT_SHOWN
TEXTS_OR_NOTHING = (
    "referenced_event_id",
    "referenced_event_title",
    "referenced_d_tag",
    "root_event_id",
    "root_event_pubkey",
    "root_d_tag",
    "root_addressable_id",
    "target_comment_id",
    "comment_content",
)


def notifications_of_the_phone(answer: Any) -> list[Row]:
    """The phone app casts each value; one of another type drops the whole answer."""
    assert type(answer) is dict
    assert is_integer(answer["unread_count"])
    assert type(answer["has_more"]) is bool
    cursor = answer["next_cursor"]
    assert (type(cursor) is str and cursor != "") if answer["has_more"] else cursor is None
    for row in answer["notifications"]:
        assert type(row) is dict
        assert HEX_64.fullmatch(row["source_pubkey"])
        assert HEX_64.fullmatch(row["source_event_id"])
        assert row["id"] == row["source_event_id"]
        for name in ("source_kind", "created_at", "source_created_at"):
            assert is_integer(row[name]), name
        assert type(row["read"]) is bool
        assert type(row["content"]) is str
        assert row["notification_type"] in KNOWN
        for name in TEXTS_OR_NOTHING:
            assert row[name] is None or type(row[name]) is str, name
        assert row["root_event_kind"] is None or is_integer(row["root_event_kind"])
        for name in ("source_profile", "referenced_video"):
            inner = row[name]
            assert inner is None or all(type(value) is str for value in inner.values()), name
    return list(answer["notifications"])


def notifications_of_the_browser(answer: Any) -> list[Row]:
    """The browser app shows a type that it knows, of a video, or a follow."""
    rows = notifications_of_the_phone(answer)
    identities = [row["source_event_id"] for row in rows]
    assert len(identities) == len(set(identities))
    shown = [row for row in rows if row["notification_type"] not in NOT_SHOWN]
    for row in shown:
        is_about_something = row["referenced_event_id"] or row["root_event_id"]
        assert row["notification_type"] == "follow" or is_about_something, "would be dropped"
    return shown
