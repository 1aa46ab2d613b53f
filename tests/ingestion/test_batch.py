"""When a batch goes, and how ClickHouse knows it again."""

from __future__ import annotations

import pytest

from ingestion.batch import Batch, BatchLimits, deduplication_token
from ingestion.pipeline import Accepted
from tests.builders import a_note

LIMITS = BatchLimits(rows=3, bytes=1000, age_seconds=0.1, spacing_seconds=0.5, growth=2)


def an_accepted(number: int = 0, size: int = 10) -> Accepted:
    return Accepted(a_note(content=str(number)), False, size)


def a_batch(*sizes: int, at: float = 5.0) -> Batch:
    batch = Batch(LIMITS)
    for number, size in enumerate(sizes):
        batch.add(an_accepted(number, size), now=at)
    return batch


def test_an_empty_batch_is_never_due():
    assert Batch(LIMITS).due_in(1e9) is None


def test_a_batch_is_due_when_its_first_event_has_waited_long_enough():
    batch = a_batch(10)
    batch.add(an_accepted(1), now=5.09)

    assert 0.05 == round(batch.due_in(5.05) or 0, 6)
    assert 0.0 == batch.due_in(5.1)
    assert 0.0 == batch.due_in(99.0)


def test_a_batch_is_due_at_its_rows_or_its_bytes():
    assert 0.0 == a_batch(10, 10, 10).due_in(5.0)
    assert 0.0 == a_batch(1000).due_in(5.0)
    assert a_batch(10, 10).due_in(5.0) != 0.0


def followed(*sizes: int, previous_went_at: float, at: float = 5.0) -> Batch:
    batch = Batch(LIMITS, previous_went_at)
    for number, size in enumerate(sizes):
        batch.add(an_accepted(number, size), now=at)
    return batch


def test_a_batch_keeps_its_distance_from_the_one_before_it():
    assert 0.4 == round(followed(10, previous_went_at=4.9).due_in(5.0) or 0, 6)
    assert 0.4 == round(followed(10, 10, 10, previous_went_at=4.9).due_in(5.0) or 0, 6)
    assert 0.0 == followed(10, previous_went_at=4.9).due_in(5.4)


def test_after_a_rest_a_batch_waits_for_its_age_alone():
    assert 0.1 == round(followed(10, previous_went_at=1.0).due_in(5.0) or 0, 6)
    assert 0.0 == followed(10, 10, 10, previous_went_at=1.0).due_in(5.0)


def test_a_full_batch_goes_at_once():
    assert 0.0 == followed(*[10] * 6, previous_went_at=5.0).due_in(5.0)
    assert 0.0 == followed(2000, previous_went_at=5.0).due_in(5.0)


def test_an_awaited_batch_need_not_age_but_keeps_its_distance():
    assert 0.0 == a_batch(10).due_in(5.0, is_awaited=True)
    assert 0.4 == round(followed(10, previous_went_at=4.9).due_in(5.0, is_awaited=True) or 0, 6)
    assert Batch(LIMITS).due_in(5.0, is_awaited=True) is None


def batches_of(rate: float, seconds: float, limits: BatchLimits) -> list[tuple[float, int, float]]:
    """When each batch goes, its rows and its oldest event's age, at so many events a second."""
    gone: list[tuple[float, int, float]] = []
    batch = Batch(limits)
    first_at = 0.0
    accepted = an_accepted(size=500)
    for number in range(int(rate * seconds)):
        now = number / rate
        due_in = batch.due_in(now)
        if due_in == 0.0:
            gone.append((now, len(batch), now - first_at))
            batch = Batch(limits, now)
        if not len(batch):
            first_at = now
        batch.add(accepted, now)
    return gone


@pytest.mark.parametrize("rate", [20, 100, 1_000, 5_000, 15_000])
def test_under_any_load_there_are_two_inserts_a_second_and_no_event_waits_longer_than_that(rate):
    gone = batches_of(rate, 20, BatchLimits())

    assert 38 <= len(gone) <= 41
    assert max(age for _, _, age in gone) <= 0.5 + 2 / rate
    assert max(rows for _, rows, _ in gone) <= rate * 0.5 + 2


def test_beyond_that_inserts_are_as_large_as_memory_allows():
    gone = batches_of(50_000, 2, BatchLimits())

    assert {10_000} == {rows for _, rows, _ in gone[1:]}


def test_when_it_is_quiet_an_event_waits_for_a_tenth_of_a_second():
    batch = Batch(BatchLimits(), previous_went_at=10.0)
    batch.add(an_accepted(), now=11.0)

    assert 0.1 == round(batch.due_in(11.0) or 0, 6)


def test_a_due_batch_may_grow_for_a_while():
    assert not a_batch(*[10] * 5).is_full
    assert a_batch(*[10] * 6).is_full
    assert a_batch(2000).is_full


def test_the_token_depends_on_the_process_the_events_and_their_order_alone():
    one, two = an_accepted(1), an_accepted(2)

    def token(*events, salt=b"this process"):
        return deduplication_token(events, salt=salt)

    assert token(one, two) == token(one, two._replace(size=99))
    assert token(one, two) != token(two, one)
    assert token(one) != token(one, two)
    assert token(one) != token(one, salt=b"another process")
