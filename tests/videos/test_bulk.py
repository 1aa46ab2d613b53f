"""`POST /api/videos/bulk` and `/api/videos/stats/bulk`: many videos at once."""

from __future__ import annotations

import nostr_sdk
import pytest

from funnel.nostr import Kind
from tests.builders import (
    a_deletion,
    a_reaction,
    a_video,
    a_view,
    address,
    alice,
    bob,
    bookmarks,
    carol,
)
from tests.published import publish
from tests.round_trips import questions

ROWS, STATS = "/api/videos/bulk", "/api/videos/stats/bulk"
BOTH = pytest.mark.parametrize("path", [ROWS, STATS])


def post(api, path, body):
    return api.post(path, body, format="json")


def test_stats_are_kept_by_the_names_that_were_sent(api):
    old, new = a_video(alice, "cats", at=0), a_video(alice, "cats", at=10)
    short, gone = a_video(bob, kind=Kind.SHORT_VIDEO), a_video(bob, "gone")
    publish(old, new, short, gone, a_deletion(gone, by=bob), a_reaction(old, bob))
    publish(a_view(new, bob, loops="1538.46"))
    note = nostr_sdk.EventId.parse(short.id).to_bech32()
    names = [old.id, new.id, address(new), "cats", note, gone.id, "nope", "a:b", "ab" * 32]

    answer = post(api, STATS, {"event_ids": names}).json()

    assert names[:5] == list(answer["stats"])
    assert names[5:] == answer["missing"]
    assert {
        "views": 1,
        "unique_viewers": 1,
        "reactions": 1,
        "likes": 1,
        "comments": 0,
        "reposts": 0,
        "loops": 1000.0,
        "embedded_loops": None,
        "engagement_score": 1,
    }.items() <= answer["stats"]["cats"].items()


def test_rows_are_those_of_a_list_each_video_once(api):
    old, new = a_video(alice, "cats", at=0), a_video(alice, "cats", at=10)
    other = a_video(bob, "dogs")
    publish(old, new, other)
    rows = {row["id"]: row for row in api.get("/api/videos").json()}

    body = {"event_ids": [other.id, old.id, "cats", "nope"]}
    answer = post(api, ROWS, body).json()

    assert ["videos", "missing", "source_event_id"] == list(answer)
    assert [rows[other.id], rows[new.id]] == answer["videos"]
    assert ["nope"] == answer["missing"]
    assert answer["source_event_id"] is None


def test_a_hundred_at_once_is_the_most(api):
    videos = [a_video(alice, f"v{n}") for n in range(100)]
    publish(*videos)
    ids = [video.id for video in videos]

    assert ids == [row["id"] for row in post(api, ROWS, {"event_ids": ids}).json()["videos"]]
    assert ids == list(post(api, STATS, {"event_ids": ids}).json()["stats"])
    for path in (ROWS, STATS):
        response = post(api, path, {"event_ids": [*ids, "cats"]})
        assert 400 == response.status_code
        assert {"error": "too many ids (max 100)"} == response.json()


def test_a_list_stands_for_the_videos_that_it_names(api):
    old, new = a_video(alice, "cats", at=0), a_video(alice, "cats", at=10)
    short, gone = a_video(bob, kind=Kind.SHORT_VIDEO), a_video(bob, "gone")
    marks = bookmarks(carol, gone, old, short, via="both", at=20)
    earlier = bookmarks(carol, short, at=1)
    favourites = bookmarks(carol, short, kind=Kind.CURATION_SET, d="favourites", via="e")
    dropped = bookmarks(carol, short, kind=Kind.BOOKMARK_SET, d="dropped", via="e")
    publish(old, new, short, gone, a_deletion(gone, by=bob))
    publish(earlier, marks, favourites, dropped, a_deletion(dropped, by=carol))

    def named(kind, by=carol, **more):
        body = {"from_event": {"kind": kind, "pubkey": by.pubkey, **more}}
        response = post(api, ROWS, body)
        assert 200 == response.status_code, response.content
        answer = response.json()
        ids = [row["id"] for row in answer["videos"]]
        return ids, answer["missing"], answer["source_event_id"]

    assert ([new.id, short.id], [gone.id, address(gone)], marks.id) == named(10003)
    assert ([short.id], [], favourites.id) == named(30005, d_tag="favourites")
    # Deleted, of another name, of another person.
    for nothing in (named(30003, d_tag="dropped"), named(30005), named(10003, by=alice)):
        assert ([], [], None) == nothing


def test_a_list_of_which_nothing_is_live_is_missing(api):
    gone = a_video(bob, "gone")
    marks = bookmarks(carol, gone, via="both")
    publish(gone, marks, a_deletion(gone, by=bob))

    answer = post(api, ROWS, {"from_event": {"kind": 10003, "pubkey": carol.pubkey}}).json()

    assert {
        "videos": [],
        "missing": [gone.id, address(gone)],
        "source_event_id": marks.id,
    } == answer


def test_each_is_one_round_trip(api):
    old, new = a_video(alice, "cats", at=0), a_video(alice, "cats", at=10)
    publish(old, new, a_video(bob, "dogs"), bookmarks(carol, old, via="e"))
    by_name = {"event_ids": [old.id, address(new), "dogs", "nope"]}
    by_list = {"from_event": {"kind": 10003, "pubkey": carol.pubkey}}

    for path, body in ((ROWS, by_name), (STATS, by_name), (ROWS, by_list)):
        before = questions()
        answer = post(api, path, body).json()
        assert answer.get("videos") or answer.get("stats")
        assert 1 == (questions() - before).total(), (path, body)


def test_of_a_list_the_first_hundred_are_answered(api):
    videos = [a_video(alice, f"v{n}") for n in range(101)]
    publish(*videos, bookmarks(bob, *videos))

    body = {"from_event": {"kind": 10003, "pubkey": bob.pubkey}}
    answer = post(api, ROWS, body).json()

    assert [video.id for video in videos[:100]] == [row["id"] for row in answer["videos"]]


@pytest.mark.parametrize(
    "body",
    [
        {"from_event": None},
        {"from_event": 7},
        {"from_event": {"kind": 3, "pubkey": alice.pubkey}},
        {"from_event": {"kind": "x", "pubkey": alice.pubkey}},
        {"from_event": {"kind": 10003}},
        {"from_event": {"kind": 10003, "pubkey": "cats"}},
        {"from_event": {"kind": 30003, "pubkey": alice.pubkey, "d_tag": ["a"]}},
        {"from_event": {"kind": 30003, "pubkey": alice.pubkey, "d_tag": "a\x00"}},
        {"from_event": {"kind": 10003, "pubkey": alice.pubkey}, "event_ids": ["cats"]},
    ],
)
def test_a_malformed_list_is_a_400(api, body):
    response = post(api, ROWS, body)

    assert 400 == response.status_code
    assert ["error"] == list(response.json())


@BOTH
def test_none_are_none(api, path):
    answer = post(api, path, {"event_ids": []}).json()

    assert not answer.get("videos")
    assert not answer.get("stats")
    assert [] == answer["missing"]


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "cats",
        None,
        {"event_ids": None},
        {"event_ids": "cats"},
        {"event_ids": {"a": 1}},
        {"event_ids": [None]},
        {"event_ids": [["a"]]},
        {"event_ids": [{}]},
        {"event_ids": [True]},
        {"event_ids": [""]},
        {"event_ids": ["a\x00b"]},
        {"event_ids": ["nsec1" + "q" * 58]},
    ],
)
def test_a_malformed_body_is_a_400_that_repeats_nothing(api, path, body):
    response = post(api, path, body)

    assert 400 == response.status_code
    assert ["error"] == list(response.json())
    assert "nsec1" not in response.json()["error"]


@BOTH
def test_what_is_no_json_is_a_400_and_a_form_a_415(api, path):
    assert 400 == api.post(path, "{", content_type="application/json").status_code
    assert 415 == api.post(path, "a=b", content_type="text/plain").status_code
