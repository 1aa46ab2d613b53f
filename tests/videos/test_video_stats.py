"""`GET /api/videos/{id}/stats`: one video by any of its names."""

from __future__ import annotations

from urllib.parse import quote

import nostr_sdk
import pytest

from clickhouse_schema.migrator import MIGRATIONS, read_migrations
from funnel.nostr import Kind
from tests.builders import a_deletion, a_reaction, a_video, address, alice, bob, carol
from tests.published import publish
from videos.serializers import VideoStats


def stats(api, reference):
    return api.get(f"/api/videos/{quote(reference, safe='')}/stats")


def test_the_answer_is_the_row_of_its_schema(api):
    video = a_video(alice, "cats", title="Cats")
    publish(video, a_reaction(video, bob, "🔥"), a_reaction(video, carol, "🔥"))

    response = stats(api, video.id)

    row = response.json()
    assert VideoStats().fields.keys() == row.keys()
    assert {
        "id": video.id,
        "event_id": video.id,
        "title": "Cats",
        "reactions": 2,
        "emojis": {"🔥": 2},
    }.items() <= row.items()
    assert response["Cache-Control"].startswith("public, max-age=15, ")


def test_a_video_is_found_by_each_of_its_names(api):
    first = a_video(alice, "cats", title="first", at=0)
    second = a_video(alice, "cats", title="second", at=10)
    publish(first, second)
    coordinate = nostr_sdk.Nip19Coordinate(
        nostr_sdk.Coordinate(
            nostr_sdk.Kind(second.kind), nostr_sdk.PublicKey.parse(alice.pubkey), "cats"
        ),
        [],
    )
    event_id = nostr_sdk.EventId.parse(second.id)

    names = [
        first.id,
        second.id,
        address(second),
        "cats",
        event_id.to_bech32(),
        nostr_sdk.Nip19Event(event_id).to_bech32(),
        coordinate.to_bech32(),
    ]

    assert ["second"] * len(names) == [stats(api, name).json()["title"] for name in names]


def test_a_d_tag_may_hold_anything(api):
    d_tags = [
        "https://vine.co/v/1:2",
        "a/stats",
        "a b",
        " a",
        "100%",
        "ünï",
        "it's",
        "a\\nb",
        "?q#x",
    ]
    videos = [a_video(alice, d) for d in d_tags]
    publish(*videos)

    assert d_tags == [stats(api, d).json()["d_tag"] for d in d_tags]
    assert d_tags == [stats(api, address(video)).json()["d_tag"] for video in videos]


def test_a_d_tag_may_look_like_an_id(api):
    """As where it is the hash of the file; an id of an event comes first."""
    other = a_video(alice, "cats", title="by its id")
    by_hash = a_video(alice, "ab" * 32, title="by its d tag")
    publish(other, by_hash, a_video(alice, other.id, title="as another's id"))

    assert "by its d tag" == stats(api, "ab" * 32).json()["title"]
    assert "by its id" == stats(api, other.id).json()["title"]
    publish(a_deletion(other, by=alice))
    assert 404 == stats(api, other.id).status_code


def test_any_text_comes_back_as_it_was_signed(api):
    title = '"quoted" \\n \\/ </b> \t\u0001 \u2028 猫 👩‍👩‍👧 \x7f {title:String} %s'
    video = a_video(alice, "cats", title=title, content=title * 2, tags=[["x", title, ""]])
    publish(video)

    row = stats(api, video.id).json()

    assert (title, title * 2) == (row["title"], row["content"])
    assert [list(tag) for tag in video.tags] == row["tags"]


def test_floats_that_are_whole_are_written_as_floats(api):
    """Clients of typed languages do not take 40 for one."""
    video = a_video(
        alice, "cats", tags=[["imeta", "url https://media.example/1.mp4", "duration 40"]]
    )
    publish(video)

    answer = stats(api, video.id).content

    assert b'"duration":40.0,' in answer
    assert b'"loops":0.0,' in answer


def test_a_video_without_an_address_is_found_by_its_id(api):
    video = a_video(alice, kind=Kind.SHORT_VIDEO, title="Cats")
    publish(video)

    assert "Cats" == stats(api, video.id).json()["title"]


def test_a_deleted_video_is_a_404(api):
    video = a_video(alice, "cats")
    publish(video, a_deletion(video, by=alice))

    assert 404 == stats(api, video.id).status_code


@pytest.mark.parametrize(
    "reference", ["ab" * 32, "AB" * 32, f"34236:{'ab' * 32}:none", "34236:", "none", "a" * 10_000]
)
def test_an_unknown_video_is_a_404_that_is_not_cached(api, reference):
    response = stats(api, reference)

    assert 404 == response.status_code
    assert {"error": "Video not found"} == response.json()
    assert "no-store" == response["Cache-Control"]


@pytest.mark.parametrize("reference", ["note1abc", "naddr1xyz", "a\x00b", "nsec1" + "q" * 58])
def test_a_malformed_reference_is_a_400_that_does_not_repeat_it(api, reference):
    response = stats(api, reference)

    assert 400 == response.status_code
    assert reference not in response.json()["error"]


def test_a_migration_packs_the_videos_that_were_there_before(api, clickhouse):
    video = a_video(alice, "cats", title="Cats")
    publish(video, a_reaction(video, bob, "🔥"))
    before = stats(api, video.id).json()
    clickhouse.command("ALTER TABLE video_stats DROP COLUMN shown")
    [migration] = [each for each in read_migrations(MIGRATIONS) if each.name.startswith("0018_")]

    for statement in migration.statements:
        clickhouse.command(statement)

    assert before == stats(api, video.id).json()
