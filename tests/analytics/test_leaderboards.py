"""`GET /api/leaderboard/videos` and `/creators`: what was played most in a period."""

from __future__ import annotations

from itertools import chain, product

import pytest

from analytics.serializers import LeaderboardCreator, LeaderboardVideo
from clickhouse_schema.migrator import MIGRATIONS, read_migrations
from tests.builders import (
    A_DAY,
    Author,
    T,
    a_deletion,
    a_profile,
    a_video,
    a_view,
    alice,
    bob,
    carol,
    dave,
)
from tests.published import NOW, publish

PERIODS = ["alltime", "day", "week", "month", "year"]
BOARDS = ["videos", "creators"]
TODAY = NOW - T
LONG_AGO = TODAY - 400 * A_DAY


def board(api, name, **params):
    return api.get(f"/api/leaderboard/{name}", params).json()["entries"]


def playable(by=alice, d="v1", *, at=LONG_AGO, **extra):
    return a_video(by, d, at=at, tags=[("url", f"https://x.example/{d}.mp4")], **extra)


def test_nothing_played_is_an_empty_board(api, subtests):
    publish(playable())

    for name, period in product(BOARDS, PERIODS):
        with subtests.test(name=name, period=period):
            response = api.get(f"/api/leaderboard/{name}", {"period": period})

            assert 200 == response.status_code
            assert {"period": period, "entries": []} == response.json()
            assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_an_entry_has_what_the_apps_show(api):
    video = playable(title="Cats")
    publish(
        a_profile(alice, name="alice", picture="https://x.example/a.jpg"),
        video,
        a_view(video, bob, loops="1.25", at=TODAY - 60),
        a_view(video, bob, loops="2", at=TODAY - 61),
        a_view(video, carol, at=TODAY - 62),
    )

    for period in PERIODS:
        [entry] = board(api, "videos", period=period)
        assert {
            "id": video.id,
            "pubkey": alice.pubkey,
            "kind": 34236,
            "d_tag": "v1",
            "title": "Cats",
            "thumbnail": "",
            "video_url": "https://x.example/v1.mp4",
            "author_name": "alice",
            "author_avatar": "https://x.example/a.jpg",
            "views": 3,
            "unique_viewers": 2,
            "loops": 3.25,
        } == entry
        assert list(LeaderboardVideo().fields) == list(entry)
        [creator] = board(api, "creators", period=period)
        assert {
            "pubkey": alice.pubkey,
            "name": "alice",
            "display_name": "",
            "picture": "https://x.example/a.jpg",
            "nip05": None,
            "views": 3,
            "unique_viewers": 2,
            "loops": 3.25,
            "videos_with_views": 1,
        } == creator
        assert list(LeaderboardCreator().fields) == list(creator)


def test_only_what_was_played_in_the_period_counts(api, subtests):
    video = playable()
    ages = (60, 3 * A_DAY, 20 * A_DAY, 200 * A_DAY, 399 * A_DAY)
    publish(video, *(a_view(video, bob, loops="1", at=TODAY - age) for age in ages))
    views = {"day": 1, "week": 2, "month": 3, "year": 4, "alltime": 5}

    for name, period in product(BOARDS, PERIODS):
        with subtests.test(name=name, period=period):
            [entry] = board(api, name, period=period)

            counts = [entry[key] for key in ("views", "unique_viewers", "loops")]
            assert [views[period], 1, float(views[period])] == counts


def test_for_ever_is_what_the_videos_themselves_say(api):
    long = a_video(alice, kind=21, at=LONG_AGO, tags=[("url", "https://x.example/long.mp4")])
    short = playable(bob, "short")
    edited = playable(bob, "short", at=LONG_AGO + 10)
    publish(
        long,
        short,
        edited,
        *(a_view(long, carol, session="one", at=TODAY - age) for age in (10, A_DAY, 2 * A_DAY)),
        a_view(short, carol, via="e", loops="20000", session="two", at=TODAY),
        a_view(edited, carol, via="e", session="two", at=TODAY + 1),
        a_view(edited, carol, via="a", phase="end", loops="3", at=TODAY - A_DAY),
        *(a_view(edited, dave, at=TODAY - second) for second in range(120)),
    )

    for row in api.get("/api/videos?sort=recent").json():
        counts = [row[key] for key in ("views", "unique_viewers", "loops")]
        [ever] = [entry for entry in board(api, "videos") if entry["id"] == row["id"]]
        [year] = [e for e in board(api, "videos", period="year") if e["id"] == row["id"]]
        [creator] = [e for e in board(api, "creators") if e["pubkey"] == row["pubkey"]]
        for entry in (ever, year, creator):
            assert counts == [entry[key] for key in ("views", "unique_viewers", "loops")]


def test_a_migration_files_by_time_what_was_played_before(api, clickhouse):
    video = playable()
    publish(
        video,
        a_view(video, bob, loops="1", at=TODAY - 60),
        a_view(video, bob, phase="end", loops="2.5", at=TODAY - 50),
        a_view(video, carol, phase="start", at=TODAY - 40),
    )
    before = board(api, "videos", period="week")
    clickhouse.command("ALTER TABLE playbacks_by_time DROP COLUMN milliloops")
    clickhouse.command("DELETE FROM playbacks_by_time WHERE session = ''")
    [migration] = [each for each in read_migrations(MIGRATIONS) if each.name.startswith("0025_")]

    for statement in migration.statements:
        clickhouse.command(statement)

    assert [(2, 3.5)] == [(entry["views"], entry["loops"]) for entry in before]
    assert before == board(api, "videos", period="week")


def test_a_viewer_of_several_videos_is_one_viewer_of_their_creator(api):
    first, second = playable(alice, "a"), playable(alice, "b")
    publish(first, second, a_view(first, bob, at=TODAY), a_view(second, bob, at=TODAY))

    [creator] = board(api, "creators", period="week")

    assert [2, 1, 2] == [creator[key] for key in ("views", "unique_viewers", "videos_with_views")]


def test_what_cannot_be_played_any_more_is_not_on_the_board(api, subtests):
    deleted, without_url = playable(alice, "a"), a_video(bob, "b", at=LONG_AGO)
    publish(
        deleted,
        without_url,
        a_deletion(deleted, by=alice),
        a_view(deleted, carol, at=TODAY),
        a_view(without_url, carol, at=TODAY),
    )

    for period in PERIODS:
        with subtests.test(period=period):
            assert [] == board(api, "videos", period=period)
            creators = board(api, "creators", period=period)
            assert [bob.pubkey] == [entry["pubkey"] for entry in creators]


def test_every_entry_is_on_one_page(api, subtests):
    crowd = [Author(f"creator {number}") for number in range(7)]
    videos = [playable(person) for person in crowd]
    publish(*videos, *(a_view(video, bob, at=TODAY) for video in videos))

    for period, name, limit in product(["alltime", "week"], BOARDS, [1, 2, 3, 7]):
        with subtests.test(period=period, name=name, limit=limit):
            asked = {"period": period, "limit": limit}
            pages = [
                [entry["pubkey"] for entry in board(api, name, offset=offset, **asked)]
                for offset in range(0, 8, limit)
            ]

            assert sorted(person.pubkey for person in crowd) == sorted(chain(*pages))
            assert all(len(page) == limit for page in pages[: 7 // limit])


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("wrong", ["period=today", "period=", "limit=501", "offset=x"])
def test_a_malformed_parameter_is_a_400_that_names_it(api, name, wrong):
    response = api.get(f"/api/leaderboard/{name}?{wrong}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(wrong.partition("=")[0])


def test_five_hundred_creators_may_be_asked_for_at_once(api):
    assert 200 == api.get("/api/leaderboard/creators?limit=500").status_code
