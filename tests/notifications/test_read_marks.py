"""What somebody has marked as read: within bounds, missing without harm, gone with the person."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clickhouse_schema import projector
from clickhouse_schema.configured_projector import configured_projector
from funnel.clickhouse import connections
from funnel.erasure import forget
from notifications.models import ReadMark
from notifications.read_marks import MAX_READ_IDS, Read, mark_read, read_by
from tests.builders import T, a_reaction, a_vanish, a_video, alice, as_json, bob
from tests.delivery import Delivery
from tests.notifications.signed import OWN_PATH, asked, marked, page
from tests.published import NOW, publish

pytestmark = pytest.mark.django_db


def drop_the_table() -> None:
    """Django's database answers nothing about marks from now on, until the test is over."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {ReadMark._meta.db_table}")


def test_marks_add_up_and_those_that_the_moment_covers_go():
    both = Read(5, {"a": 7, "b": 9}).and_also(Read(7, {"c": 8})).and_also(Read(6, {"d": 6}))

    assert Read(7, {"b": 9, "c": 8}) == both


def test_of_too_many_single_ones_the_oldest_become_a_moment():
    many = Read(0, {f"{n}": n for n in range(1, MAX_READ_IDS + 1)})
    assert MAX_READ_IDS == len(many.and_also(Read()).ids)

    more = many.and_also(Read(0, {"x": MAX_READ_IDS + 1, "y": MAX_READ_IDS + 1}))

    assert 2 == more.until
    assert MAX_READ_IDS == len(more.ids)
    assert {"1", "2"}.isdisjoint(more.ids)
    mark_read(alice.pubkey, many)
    mark_read(alice.pubkey, Read(0, {"x": MAX_READ_IDS + 1, "y": MAX_READ_IDS + 1}))
    assert more == read_by(alice.pubkey)


def test_without_djangos_database_all_is_unread_and_nothing_can_be_marked(api, caplog):
    video, like = a_video(alice, "v"), a_reaction(a_video(alice, "v"), bob)
    publish(video, like)
    assert 1 == marked(api, {})
    assert 0 == page(api)["unread_count"]
    drop_the_table()

    answered = page(api)

    assert 1 == answered["unread_count"]
    assert [(like.id, False)] == [(row["id"], row["read"]) for row in answered["notifications"]]
    assert "read_marks_unavailable" in caplog.text
    refused = asked(api, f"{OWN_PATH}/read", "POST", b"{}")
    assert (503, "5") == (refused.status_code, refused["Retry-After"])
    assert ["error"] == list(refused.json())


def test_marks_go_with_the_person_who_vanishes_and_with_nobody_else():
    for person in (alice, bob):
        mark_read(person.pubkey, Read(T))
    clickhouse = connections["default"]
    Delivery(clickhouse, now=NOW).write([as_json(a_vanish(bob)), as_json(a_video(bob, "v"))])
    projector = configured_projector(clickhouse)
    projector.lag_ms = -1_000

    projector.catch_up(now=NOW)

    assert [alice.pubkey] == [mark.pubkey for mark in ReadMark.objects.all()]
    call_command("vanish", alice.pubkey, "--yes")
    assert not ReadMark.objects.exists()
    drop_the_table()
    with pytest.raises(CommandError, match="Django's database does not answer"):
        call_command("vanish", alice.pubkey, "--yes")


def test_who_could_not_be_forgotten_is_so_later_and_the_answers_do_not_wait(monkeypatch):
    monkeypatch.setattr(projector, "FORGET_RETRY_SECONDS", 0.0)
    asked_for, answers = [], [False, False, True]

    def forget_people(pubkeys):
        asked_for.append(list(pubkeys))
        return answers.pop(0)

    delivery = Delivery(connections["default"], now=NOW)
    delivery.projector.forget = forget_people

    delivery.deliver([[as_json(a_video(bob, "v", at=60)), as_json(a_vanish(bob))]])
    for n in range(3):
        delivery.deliver([[as_json(a_video(alice, f"{n}"))]])

    assert [[bob.pubkey]] * 3 == asked_for


def test_forgetting_says_when_it_could_not():
    assert forget([alice.pubkey])
    drop_the_table()
    assert not forget([alice.pubkey])
