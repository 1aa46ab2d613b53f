"""`GET /api/search/profiles`: people by what their profile says."""

from __future__ import annotations

from itertools import chain, product

import pytest

from analytics import queries
from analytics.serializers import FoundProfile
from clickhouse_schema.migrator import MIGRATIONS, read_migrations
from funnel.sql import parse_query
from tests.builders import (
    Author,
    a_deletion,
    a_profile,
    a_video,
    alice,
    an_event,
    bob,
    carol,
    dave,
    follows,
    mallory,
)
from tests.published import NOW, publish

URL = "/api/search/profiles"
CROWD = [Author(f"crowd {number}") for number in range(7)]


def found(api, **params):
    return [row["pubkey"] for row in api.get(URL, params).json()]


def test_nobody_is_an_empty_array(api):
    response = api.get(URL, {"q": "jack"})

    assert 200 == response.status_code
    assert [] == response.json()
    assert response["Cache-Control"].startswith("public, max-age=30, ")


def test_a_row_has_what_the_apps_show(api):
    profile = a_profile(alice, name="jack", nip05="jack@x.example", about="cats")
    publish(profile, a_video(alice), follows(bob, alice))

    [row] = api.get(URL, {"q": "jack"}).json()

    assert {
        "pubkey": alice.pubkey,
        "name": "jack",
        "display_name": "",
        "nip05": "jack@x.example",
        "about": "cats",
        "picture": "",
        "banner": "",
        "follower_count": 1,
        "video_count": 1,
        "lud16": "",
        "website": "",
        "created_at": profile.created_at,
        "event_id": profile.id,
    } == row
    assert list(FoundProfile().fields) == list(row)


def test_the_nearer_the_name_the_sooner_it_comes(api):
    publish(
        a_profile(alice, about="Jack's sister"),
        a_profile(bob, name="Union Jack"),
        a_profile(carol, display_name="Jackie"),
        a_profile(dave, display_name="JACK"),
        a_profile(mallory, name="m", nip05="jack@mallory.example"),
        a_profile(CROWD[0], name="somebody else"),
        follows(CROWD[1], alice),
    )

    assert [person.pubkey for person in (dave, carol, bob, mallory, alice)] == found(api, q="jack")


@pytest.mark.parametrize("q", ["_@x.example", "X.example"])
def test_whose_nip_05_address_it_is_comes_first(api, q):
    publish(
        a_profile(alice, name="a", nip05="_@x.example"),
        *(a_profile(person, name=f"{q} {person.name}") for person in CROWD),
        *(a_profile(person, name="f", nip05=f"{person.name}{q}") for person in (bob, carol)),
        follows(dave, *CROWD, bob, carol),
    )

    for sort_by in ("relevance", "followers"):
        assert alice.pubkey == found(api, q=q, sort_by=sort_by, limit=2)[0]


def test_equals_are_ranked_by_their_followers(api):
    publish(
        a_profile(alice, name="jack"),
        a_profile(bob, name="jack"),
        a_profile(carol, about="jack"),
        follows(dave, bob, carol),
        follows(mallory, carol),
    )

    assert [bob.pubkey, alice.pubkey, carol.pubkey] == found(api, q="jack")
    assert [carol.pubkey, bob.pubkey, alice.pubkey] == found(api, q="jack", sort_by="followers")


def test_those_with_videos_can_be_asked_for(api):
    deleted = a_video(bob)
    publish(
        *(a_profile(person, name="jack") for person in (alice, bob, carol)),
        a_video(alice),
        deleted,
        a_deletion(deleted, by=bob),
    )

    assert [alice.pubkey] == found(api, q="jack", has_videos="true")
    assert 3 == len(found(api, q="jack", has_videos="false"))


WRITTEN = {
    "ZÜRICH": "zürich",
    "Zu\u0308g": "ZÜG",
    "Straße": "STRASSE",
    "猫の動画": "の動",
    "مرحبا": "حبا",
    "🐈 cat": "🐈",
    "it's c++ 100% _x_": "'s C++ 100% _X",
    "Jack Black": "  jack  ",
}


def test_names_are_found_however_they_are_written(api, subtests):
    everybody = {name: Author(name) for name in ("other", *WRITTEN)}
    publish(*(a_profile(person, name=name) for name, person in everybody.items()))

    for name, q in WRITTEN.items():
        with subtests.test(name=name, q=q):
            assert [everybody[name].pubkey] == found(api, q=q)


def test_an_empty_text_leaves_nobody_out(api):
    publish(a_profile(alice, name="a"), a_profile(bob, name="b"), follows(carol, bob))

    assert [bob.pubkey, alice.pubkey] == found(api) == found(api, q="")


def test_everybody_is_on_one_page(api, subtests):
    publish(*(a_profile(person, name="jack") for person in CROWD))

    for limit, sort_by in product([1, 2, 3, 7], ["relevance", "followers"]):
        with subtests.test(limit=limit, sort_by=sort_by):
            pages = [
                found(api, q="jack", sort_by=sort_by, limit=limit, offset=offset)
                for offset in range(0, len(CROWD) + 1, limit)
            ]

            assert sorted(person.pubkey for person in CROWD) == sorted(chain(*pages))
            assert all(len(page) == limit for page in pages[: len(CROWD) // limit])


@pytest.mark.parametrize(
    "q",
    [
        "ja",
        "ck",
        "k\n",
        "x",
        "x.",
        ".ex",
        "ca",
        "s a",
        "s",
        "ats and",
        "🐈",
        "の",
        "の動",
        "猫の動",
    ],
)
def test_people_are_found_by_any_part_of_any_length(api, q):
    publish(
        a_profile(alice, name="Jack", nip05="j@x.example", about="cats and 🐈 猫の動画"),
        a_profile(bob, name="Bob", about="d"),
    )

    assert [alice.pubkey] == found(api, q=q)


def test_a_long_text_is_compared_to_its_end(api):
    about = "".join(f"{number} " for number in range(100, 400))
    publish(a_profile(alice, about=f"{about}!"), a_profile(bob, about=f"{about}?"))

    assert [alice.pubkey] == found(api, q=f"{about}!")


# --- How they are found --------------------------------------------------------------------------


def plan(clickhouse, text):
    query = queries.SEARCH_PROFILES
    explained = parse_query("tests.explain", f"-- A plan.\nEXPLAIN indexes = 1 {query.text}")
    values = {"now": NOW, "text": text, "by_followers": 0, "videos_at_least": 0}
    rows = clickhouse.select(explained, values | {"row_limit": 20, "row_offset": 0})
    return "\n".join(next(iter(row.values())) for row in rows)


def test_the_text_index_finds_them_and_leaves_the_rest_unread(clickhouse):
    clickhouse.command(
        "INSERT INTO user_profiles (pubkey, version, live, expiration, name, about) SELECT"
        " leftPad(toString(number), 64, '0'), 1, true, 4294967295, concat('n', toString(number)),"
        " if(number = 9999, 'Likes Zürich, 猫', 'Likes cats') FROM numbers(10000)"
    )

    for text in ("zürich", "猫", "ü", "ÜR"):
        shown = plan(clickhouse, text)
        assert "Granules: 1/78" in shown.partition("Name: searched_index")[2], shown


def test_a_migration_indexes_the_profiles_that_were_there_before(clickhouse):
    publish(a_profile(alice, name="jack"))
    clickhouse.command("ALTER TABLE user_profiles DROP INDEX searched_index")
    clickhouse.command("ALTER TABLE user_profiles DROP COLUMN searched")
    [migration] = [each for each in read_migrations(MIGRATIONS) if each.name.startswith("0014_")]

    for statement in migration.statements:
        clickhouse.command(statement)

    assert "Granules: 1/1" in plan(clickhouse, "jack").partition("Name: searched_index")[2]
    assert "Granules: 0/1" in plan(clickhouse, "jill").partition("Name: searched_index")[2]


def test_profiles_that_say_nothing_do_no_harm(api):
    publish(an_event(0, alice, content='{"name":"\\ud800 jack"}'), a_profile(bob, name="jack"))

    assert bob.pubkey in found(api, q="jack")


@pytest.mark.parametrize("wrong", ["sort_by=name", "has_videos=maybe", "limit=101", "offset=-1"])
def test_a_malformed_parameter_is_a_400_that_names_it(api, wrong):
    response = api.get(f"{URL}?q=jack&{wrong}")

    assert 400 == response.status_code
    assert response.json()["error"].startswith(wrong.partition("=")[0])
