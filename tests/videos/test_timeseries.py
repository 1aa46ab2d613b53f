"""`GET /api/videos/{reference}/timeseries`: what happened to a video, span by span."""

from __future__ import annotations

import pytest

from tests.builders import (
    A_DAY,
    AN_HOUR,
    T,
    a_comment,
    a_deletion,
    a_reaction,
    a_repost,
    a_video,
    a_view,
    alice,
    bob,
    carol,
)
from tests.published import NOW, publish

COUNTS = ("reactions", "comments", "reposts", "views")


def spans(api, video, **params):
    response = api.get(f"/api/videos/{video.id}/timeseries", params)
    assert 200 == response.status_code, response.content
    return response.json()


def test_every_act_is_in_the_span_in_which_it_happened_first(api):
    old, taken_back = a_video(alice, "v", at=0), a_repost(a_video(alice, "v"), carol, at=30)
    video = a_video(alice, "v", title="edited", at=A_DAY)
    publish(
        old,
        video,
        a_reaction(old, bob, at=10),
        a_reaction(video, bob, "🔥", at=A_DAY + 10),
        a_reaction(video, carol, "-", at=A_DAY + 10, via="a"),
        *(a_comment(video, bob, f"{n}", at=A_DAY + n) for n in range(3)),
        a_repost(video, bob, at=20),
        taken_back,
        a_deletion(taken_back, by=carol, at=40),
        a_view(video, bob, at=A_DAY),
        a_view(old, bob, at=A_DAY + AN_HOUR),
    )

    days = spans(api, video, interval="day", limit=3)

    assert [T - T % A_DAY + day * A_DAY for day in (2, 1, 0)] == [day["start"] for day in days]
    assert [[0, 0, 0, 0], [1, 3, 0, 2], [1, 0, 1, 0]] == [
        [day[name] for name in COUNTS] for day in days
    ]


@pytest.mark.parametrize(
    ("interval", "first"),
    [
        ("hour", NOW - NOW % AN_HOUR),
        ("day", NOW - NOW % A_DAY),
        # 2023-11-13, a Monday
        ("week", 1_699_833_600),
    ],
)
def test_all_spans_add_up_to_the_row(api, interval, first):
    video = a_video(alice, "v", at=90_000)
    publish(
        video,
        *(a_reaction(video, by, at=90_000 + n) for n, by in enumerate((alice, bob, carol))),
        a_comment(video, bob, at=95_000),
        *(a_view(video, bob, at=90_000 + n) for n in range(5)),
    )
    row = api.get(f"/api/videos/{video.id}/stats").json()

    found = spans(api, video, interval=interval, limit=100)

    assert first == found[0]["start"]
    assert 100 == len(found)
    assert [row[name] for name in COUNTS] == [sum(span[name] for span in found) for name in COUNTS]


def test_there_are_thirty_days_unless_others_are_asked_for_and_no_video_is_a_404(api):
    video = a_video(alice, "v")
    publish(video)

    assert 30 == len(spans(api, video))
    assert 404 == api.get("/api/videos/none/timeseries").status_code
    for wrong in ("interval=month", "limit=101", "limit=0"):
        response = api.get(f"/api/videos/{video.id}/timeseries?{wrong}")
        assert 400 == response.status_code
        assert response.json()["error"].startswith(wrong.partition("=")[0])
