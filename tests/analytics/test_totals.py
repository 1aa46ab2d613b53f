"""`GET /api/stats`: how much there is."""

from __future__ import annotations

from analytics.serializers import Totals
from tests.builders import a_deletion, a_reaction, a_video, alice, bob
from tests.published import publish


def test_nothing_is_zero(api):
    response = api.get("/api/stats")

    assert 200 == response.status_code
    assert {"total_events": 0, "total_videos": 0, "vine_videos": 0} == response.json()
    assert response["Cache-Control"].startswith("public, max-age=15, ")


def test_events_count_for_ever_and_videos_while_they_live(api):
    video, deleted = a_video(alice, "a"), a_video(alice, "b")
    publish(
        video,
        a_video(alice, "a", at=10),
        deleted,
        a_deletion(deleted, by=alice),
        a_video(bob, "c", tags=[("platform", "vine")]),
        a_reaction(video, bob),
    )

    totals = api.get("/api/stats").json()

    assert {"total_events": 6, "total_videos": 2, "vine_videos": 1} == totals
    assert Totals().fields.keys() == totals.keys()


def test_events_that_arrive_again_count_once(api):
    video = a_video(alice, "a")
    publish(video, a_reaction(video, bob))

    publish(video, a_reaction(video, bob))

    assert {"total_events": 2, "total_videos": 1, "vine_videos": 0} == api.get("/api/stats").json()
