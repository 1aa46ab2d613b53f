"""Where the next page of a list begins, as a client is told it and brings it back.

A cursor is either the place of the last row, signed, so that new videos shift nothing; or `o:<n>`,
how many rows to skip. Clients make the second form up by themselves, so it is not signed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from django.core import signing
from rest_framework.exceptions import ValidationError

from funnel.nostr import MAX_CREATED_AT
from funnel.params import MAX_OFFSET

OFFSET = re.compile(r"o:([0-9]{1,7})")

# A client that knows nothing but `before` (inclusive seconds) cannot tell the rows of one second
# apart. Where a page ends within a second, `before` is more than any date of an event: the seconds,
# and so many times 2^32 as there are rows of that second to skip. JavaScript's numbers hold it.
SECONDS_END = MAX_CREATED_AT + 1
ROWS_IN_A_SECOND = 1_000_000


class InvalidCursor(ValueError):
    """Not a cursor of ours, or one of another list."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cursor:
    """offset: rows to skip. place: JSON values that the list knows its last row by, or None."""

    offset: int = 0
    place: list[Any] | None = None


def read_cursor(text: str, *, of: str) -> Cursor:
    """The cursor in `text`; raises InvalidCursor. of: the list that it was made for."""
    if by_offset := OFFSET.fullmatch(text):
        offset = int(by_offset[1])
        if offset > MAX_OFFSET:
            raise InvalidCursor(f"more than {MAX_OFFSET} rows")
        return Cursor(offset=offset)
    try:
        place: list[Any] = signing.loads(text, salt=salt(of))
    except signing.BadSignature as error:
        raise InvalidCursor("not signed for this list") from error
    return Cursor(place=place)


def cursor_in(params: Mapping[str, Any], *, of: str) -> Cursor:
    """Where the page begins that validated parameters ask for; without a cursor, after `offset`
    rows. Raises ValidationError for what is no cursor of the list `of`.
    """
    if not params["cursor"]:
        return Cursor(offset=params.get("offset", 0))
    try:
        return read_cursor(params["cursor"], of=of)
    except InvalidCursor as error:
        raise ValidationError({"cursor": "must be a next_cursor of this list."}) from error


def next_cursor(last: list[Any] | None, cursor: Cursor, *, row_limit: int, of: str) -> str | None:
    """The cursor of the page after the one at `cursor`; who counts rows goes on counting them.

    last: the place of the page's last row; None where there are no more.
    """
    if last is None:
        return None
    if cursor.offset:
        return offset_cursor(cursor.offset + row_limit)
    return place_cursor(last, of=of)


def place_cursor(place: list[Any], *, of: str) -> str:
    """The cursor of the page that follows a row; read_cursor gives its place back."""
    return signing.dumps(place, salt=salt(of))


def offset_cursor(offset: int) -> str:
    return f"o:{offset}"


def salt(of: str) -> str:
    # A cursor of one list says nothing in another: places in different orders do not compare.
    return f"videos.paging.{of}"


def read_before(number: int) -> tuple[int, int]:
    """What a number given as `before` means: inclusive seconds, and how many rows of it to skip."""
    skipped, seconds = divmod(number, SECONDS_END)
    return seconds, skipped


def write_before(seconds: int, skipped: int) -> int:
    return skipped * SECONDS_END + seconds


def next_before(seconds: list[int], *, row_limit: int, before: int, skipped: int) -> int | None:
    """What to give as `before` for the next page; None after the last one.

    seconds: `published_at` of the page's rows and, where there are more, of the next one. before,
    skipped: what the page itself was asked with.
    """
    if len(seconds) <= row_limit:
        return None
    following = seconds[row_limit]
    shown = seconds[:row_limit].count(following)
    return write_before(following, shown + (skipped if following == before else 0))
