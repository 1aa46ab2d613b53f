"""`POST /api/users/bulk`: many people at once, as feeds need them for their authors."""

from __future__ import annotations

import pytest

from analytics.serializers import BulkUsers
from tests.builders import Author, a_profile, a_video, alice, bob, carol, dave, follows
from tests.clickhouse_schema.lively_day import EVENTS
from tests.published import publish
from tests.round_trips import questions

URL = "/api/users/bulk"


def test_people_come_in_the_order_asked_and_the_unknown_are_missing(api):
    publish(a_profile(alice, name="alice"), a_video(bob), follows(alice, carol))
    pubkeys = [bob.pubkey, dave.pubkey, alice.pubkey, carol.pubkey, bob.pubkey]

    response = api.post(URL, {"pubkeys": pubkeys}, format="json")

    assert 200 == response.status_code
    answer = response.json()
    assert list(BulkUsers().fields) == list(answer)
    assert [bob.pubkey, alice.pubkey, carol.pubkey] == [user["pubkey"] for user in answer["users"]]
    assert [None, "alice", None] == [
        user["profile"] and user["profile"]["name"] for user in answer["users"]
    ]
    assert [dave.pubkey] == answer["missing"]


def test_each_is_the_same_as_by_itself(api):
    publish(*EVENTS, a_video(alice, "old", tags=[("loops", "7")]))
    people = (alice, bob, carol, dave)

    together = api.post(
        URL, {"pubkeys": [person.pubkey for person in people]}, format="json"
    ).json()["users"]

    assert [api.get(f"/api/users/{person.pubkey}").json() for person in people] == together
    # There is something of each number that could differ.
    for group in ("social", "stats", "engagement"):
        assert all(any(user[group][name] for user in together) for name in together[0][group])


def test_a_follow_list_stands_for_those_it_holds(api):
    publish(a_profile(bob, name="bob"), follows(alice, carol, bob))

    answer = api.post(
        URL, {"from_event": {"kind": 3, "pubkey": alice.pubkey}}, format="json"
    ).json()

    assert [carol.pubkey, bob.pubkey] == [user["pubkey"] for user in answer["users"]]


def test_of_a_follow_list_the_first_hundred_are_answered(api):
    people = [Author(f"number {number}") for number in range(101)]
    publish(follows(alice, *people), *(a_profile(person) for person in people))

    answer = api.post(
        URL, {"from_event": {"kind": 3, "pubkey": alice.pubkey}}, format="json"
    ).json()

    assert [person.pubkey for person in people[:100]] == [
        user["pubkey"] for user in answer["users"]
    ]


def test_whoever_follows_nobody_stands_for_nobody(api):
    answer = api.post(URL, {"from_event": {"kind": 3, "pubkey": bob.pubkey}}, format="json")

    assert {"users": [], "missing": []} == answer.json()


def test_each_is_one_round_trip(api):
    publish(a_profile(bob, name="bob"), follows(alice, carol, bob))
    for body in (
        {"pubkeys": [alice.pubkey, bob.pubkey]},
        {"from_event": {"kind": 3, "pubkey": alice.pubkey}},
    ):
        before = questions()
        assert 2 == len(api.post(URL, body, format="json").json()["users"])
        assert 1 == (questions() - before).total(), body


def test_nobody_is_asked_and_nobody_answered(api):
    answer = api.post(URL, {"pubkeys": []}, format="json")

    assert 200 == answer.status_code
    assert {"users": [], "missing": []} == answer.json()


def test_a_hundred_are_answered_and_more_are_a_400(api):
    pubkeys = [f"{number:064x}" for number in range(101)]

    most = api.post(URL, {"pubkeys": pubkeys[:100]}, format="json")
    more = api.post(URL, {"pubkeys": pubkeys}, format="json")

    assert 100 == len(most.json()["missing"])
    assert 400 == more.status_code
    assert "100" in more.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "null",
        "[]",
        "7",
        "{}",
        '{"pubkeys":null}',
        '{"pubkeys":"ab"}',
        '{"pubkeys":[null]}',
        '{"pubkeys":[{}]}',
        '{"pubkeys":["\\ud800"]}',
        '{"pubkeys":["\\u0000"]}',
        '{"pubkeys":["34236:ab:c"]}',
        '{"from_event":7}',
        '{"from_event":{"kind":4,"pubkey":"' + "ab" * 32 + '"}}',
        '{"from_event":{"kind":3}}',
        '{"pubkeys":[],"from_event":{"kind":3,"pubkey":"' + "ab" * 32 + '"}}',
    ],
)
def test_a_malformed_body_is_a_400(api, body):
    response = api.post(URL, body, content_type="application/json")

    assert 400 == response.status_code
    assert ["error"] == list(response.json())


def test_another_method_is_a_405(api):
    assert 405 == api.get(URL).status_code
