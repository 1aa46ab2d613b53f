"""`GET /api/stats/active-users`: how many people signed anything, by day, week or month."""

from __future__ import annotations

import datetime as dt

import pytest

from analytics.serializers import ActiveUsers
from tests.builders import A_DAY, T, a_note, a_reaction, a_video, a_view, a_zap, alice, bob, carol
from tests.published import NOW, publish

URL = "/api/stats/active-users"
TODAY = NOW - T
MIDNIGHT = NOW - NOW % A_DAY


def at(year, month, day):
    return int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp())


def test_a_span_without_anybody_is_a_zero(api):
    response = api.get(f"{URL}?limit=3")

    assert [
        {"start": MIDNIGHT - back * A_DAY, "active_users": 0} for back in range(3)
    ] == response.json()
    assert list(ActiveUsers().fields) == list(response.json()[0])
    assert response["Cache-Control"].startswith("public, max-age=15, ")


def test_people_count_once_a_day_and_servers_and_viewers_do_not(api):
    video = a_video(alice, at=TODAY)
    publish(
        video,
        a_reaction(video, bob, at=TODAY),
        a_note(bob, at=TODAY),
        a_note(bob, at=TODAY - A_DAY),
        a_zap(video, carol, at=TODAY),
        a_view(video, carol, at=TODAY),
    )

    assert [2, 1, 0] == [row["active_users"] for row in api.get(f"{URL}?limit=3").json()]


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        ("day", [at(2023, 11, 16), at(2023, 11, 15), at(2023, 11, 14)]),
        ("week", [at(2023, 11, 13), at(2023, 11, 6), at(2023, 10, 30)]),
        ("month", [at(2023, 11, 1), at(2023, 10, 1), at(2023, 9, 1)]),
    ],
)
def test_spans_start_where_the_calendar_says(api, interval, starts):
    publish(
        *(a_note(person, at=starts[1] - T) for person in (alice, bob)),
        a_note(carol, at=starts[1] - T - 1),
        a_note(carol, at=starts[0] - T - 1),
    )

    rows = api.get(URL, {"interval": interval, "limit": 3}).json()

    assert starts == [row["start"] for row in rows]
    assert [0, 3, 1] == [row["active_users"] for row in rows]


def test_there_are_thirty_spans_unless_others_are_asked_for(api):
    assert 30 == len(api.get(URL).json())
    assert 100 == len(api.get(f"{URL}?interval=month&limit=100").json())


@pytest.mark.parametrize("wrong", ["interval=year", "interval=", "limit=101", "limit=0"])
def test_a_malformed_parameter_is_a_400_that_names_it(api, wrong):
    response = api.get(f"{URL}?{wrong}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(wrong.partition("=")[0])
