"""Where the next page begins: cursors, and the number that stands for a time."""

from __future__ import annotations

import pytest

from funnel.nostr import MAX_CREATED_AT
from funnel.paging import (
    Cursor,
    InvalidCursor,
    next_before,
    offset_cursor,
    place_cursor,
    read_before,
    read_cursor,
    write_before,
)


def test_a_place_comes_back_as_it_was_to_the_last_digit():
    place = [0.1 + 0.2, 1_700_000_000, "ab" * 32, 5e-324, None]

    assert Cursor(place=place) == read_cursor(place_cursor(place, of="recent"), of="recent")


def test_an_offset_needs_no_signature():
    assert Cursor(offset=12) == read_cursor(offset_cursor(12), of="recent")


@pytest.mark.parametrize("text", ["", "o:", "o:1000001", "o:-1", "o:1 ", "p:next", "a" * 10_000])
def test_what_nobody_signed_is_no_cursor(text):
    with pytest.raises(InvalidCursor):
        read_cursor(text, of="recent")


def test_a_cursor_belongs_to_one_list():
    with pytest.raises(InvalidCursor):
        read_cursor(place_cursor([1], of="recent"), of="popular")


def test_a_cursor_that_another_key_signed_is_none(settings):
    cursor = place_cursor([1], of="recent")
    settings.SECRET_KEY = "another"

    with pytest.raises(InvalidCursor):
        read_cursor(cursor, of="recent")


@pytest.mark.parametrize("seconds", [0, 1, 1_700_000_000, MAX_CREATED_AT])
def test_a_time_stands_for_itself_and_a_place_within_it_for_more(seconds):
    assert (seconds, 0) == read_before(write_before(seconds, 0))
    assert (seconds, 7) == read_before(write_before(seconds, 7))


@pytest.mark.parametrize(
    ("seconds", "before", "skipped", "expected"),
    [
        ([9, 8], 20, 0, None),
        ([9, 8, 7], 20, 0, 7),
        ([9, 8, 8], 20, 0, write_before(8, 1)),
        ([8, 8, 8], 20, 0, write_before(8, 2)),
        ([8, 8, 8], 8, 2, write_before(8, 4)),
        ([8, 7, 7], 8, 2, write_before(7, 1)),
    ],
)
def test_the_next_page_begins_where_this_one_ends(seconds, before, skipped, expected):
    assert expected == next_before(seconds, row_limit=2, before=before, skipped=skipped)
