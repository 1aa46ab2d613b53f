"""What is still to be read of a relay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from funnel.nostr import MAX_CREATED_AT
from ingestion.gaps import Gap, Gaps


def test_the_first_gap_is_all_of_time():
    gaps = Gaps()

    gaps.open(0)

    assert Gap(0, MAX_CREATED_AT) == next(gaps.newest_first())


def test_a_closed_gap_gives_way_to_the_older_one_that_was_cut():
    gaps = Gaps()
    gaps.open(0)
    next(gaps.newest_first()).until = 500
    gaps.open(800)

    seen = []
    for gap in gaps.newest_first():
        seen.append((gap.since, gap.until))
        gap.close()

    assert [(800, MAX_CREATED_AT), (0, 500)] == seen


def test_a_gap_that_is_read_again_from_earlier_swallows_the_older_one():
    gaps = Gaps()
    gaps.open(400)
    next(gaps.newest_first()).until = 500
    gaps.open(300)

    seen = []
    for gap in gaps.newest_first():
        seen.append((gap.since, gap.until))
        gap.close()

    assert [(300, MAX_CREATED_AT)] == seen


def test_a_gap_that_is_left_open_is_the_first_one_again():
    gaps = Gaps()
    gaps.open(100)

    for gap in gaps.newest_first():
        gap.until = 200

    assert Gap(100, 200) == next(gaps.newest_first())


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=10))
def test_no_second_is_forgotten_however_often_the_reading_is_cut(cuts):
    """Each connection opens a gap from `since` and reads it down to `read_to`."""
    gaps = Gaps()
    open_seconds: set[int] = set()
    for since, read_to in cuts:
        gaps.open(since)
        open_seconds |= set(range(since, 1001))
        newest = next(gaps.newest_first())
        newest.until = max(min(1000, read_to), since - 1)
        open_seconds -= set(range(newest.until + 1, 1001)) & set(range(since, 1001))

    left: set[int] = set()
    for gap in gaps.newest_first():
        left |= set(range(gap.since, gap.until + 1))
        gap.close()

    assert open_seconds == left
