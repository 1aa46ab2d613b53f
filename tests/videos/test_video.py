"""`GET /api/videos/{id}` and `/api/videos/{id}/views`: one video, as signed, and its numbers."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from funnel.nostr import Kind
from tests.builders import (
    a_deletion,
    a_profile,
    a_reaction,
    a_video,
    a_view,
    address,
    alice,
    as_json,
    bob,
    carol,
)
from tests.published import publish
from tests.videos.lists import get


def path(reference, end=""):
    return f"/api/videos/{quote(reference, safe='')}{end}"


def test_the_event_is_the_one_that_was_signed_and_its_numbers_stand_beside(api):
    video = a_video(alice, "cats", title="Cats", content="All", tags=[("t", "cats"), ("x",)])
    publish(video, a_profile(alice, name="Alice"), a_reaction(video, bob))

    answer = get(api, path(video.id))

    assert as_json(video) == answer["event"]
    assert {
        "reactions": 1,
        "comments": 0,
        "reposts": 0,
        "engagement_score": 1,
        "views": 0,
        "loops": 0,
        "embedded_loops": None,
        "author_name": "Alice",
        "author_avatar": "",
    }.items() <= answer["stats"].items()


def test_every_name_leads_to_the_current_version(api):
    old, new = a_video(alice, "a?b/c#d", at=0), a_video(alice, "a?b/c#d", at=10)
    publish(old, new)

    for name in (old.id, new.id, address(new), "a?b/c#d"):
        assert new.id == get(api, path(name))["event"]["id"]


def test_a_protected_video_is_in_lists_but_its_event_is_not_handed_on(api):
    video = a_video(alice, "mine", title="Mine", tags=[("-",)])
    publish(video)

    assert 404 == api.get(path(video.id)).status_code
    assert ["Mine"] == [row["title"] for row in get(api, "/api/videos")]


@pytest.mark.parametrize("end", ["", "/views", "/likers"])
def test_what_is_not_live_is_a_404(api, end):
    video = a_video(alice, "cats")
    publish(video, a_deletion(video, by=alice))

    for name in (video.id, "cats", "none", "ab" * 32):
        response = api.get(path(name, end))
        assert 404 == response.status_code
        assert {"error": "Video not found"} == response.json()


@pytest.mark.parametrize("end", ["", "/views", "/likers"])
def test_a_malformed_reference_is_a_400(api, end):
    assert 400 == api.get(path("nevent1x", end)).status_code


def test_views_and_viewers_are_numbers(api):
    video = a_video(alice, "cats")
    publish(video, a_view(video, bob), a_view(video, bob, at=2), a_view(video, carol))

    assert {"views": 3, "unique_viewers": 2} == get(api, path("cats", "/views"))


@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.SHORT_VIDEO])
def test_a_video_without_a_d_tag_goes_by_its_id_there(api, kind):
    video = a_video(alice, kind=kind)
    publish(video)

    [row] = get(api, "/api/videos")

    assert video.id == row["d_tag"]
    assert "" == row["address"]
    assert video.id == get(api, path(row["d_tag"]))["event"]["id"]
