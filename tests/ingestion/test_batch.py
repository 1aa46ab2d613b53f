"""When a batch goes, and how ClickHouse knows it again."""

from __future__ import annotations

from ingestion.batch import Batch, BatchLimits, deduplication_token
from ingestion.pipeline import Accepted
from tests.builders import a_note

LIMITS = BatchLimits(rows=3, bytes=1000, age_seconds=0.1, growth=2)


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


def test_a_due_batch_may_grow_for_a_while():
    assert not a_batch(*[10] * 5).is_full
    assert a_batch(*[10] * 6).is_full
    assert a_batch(2000).is_full


def test_the_token_depends_on_the_events_and_their_order_alone():
    one, two = an_accepted(1), an_accepted(2)

    assert deduplication_token([one, two]) == deduplication_token([one, two._replace(size=99)])
    assert deduplication_token([one, two]) != deduplication_token([two, one])
    assert deduplication_token([one]) != deduplication_token([one, two])
