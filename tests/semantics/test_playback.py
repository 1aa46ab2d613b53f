"""Views (kind 22236): started playbacks and loops, capped for each viewer, video and day."""

from __future__ import annotations

from funnel.nostr import Kind
from tests.builders import A_DAY, T, a_video, a_view, address, alice, an_event, bob, carol, dave
from tests.published import publish
from tests.semantics.asked import each, fields

VIDEO = a_video(alice, "v1")
EDITED = a_video(alice, "v1", title="edited", at=5)
OTHER = a_video(alice, "v2")
PLAYED = ("views", "unique_viewers", "loops")
# Seconds from T to the next midnight in UTC.
MIDNIGHT = A_DAY - T % A_DAY


def test_a_view_is_a_started_playback_and_loops_come_with_its_end(api):
    publish(
        VIDEO,
        a_view(VIDEO, bob, phase="start", loops=8, session="s1"),
        a_view(VIDEO, bob, phase="end", loops=2.5, session="s1", at=2),
        a_view(VIDEO, carol, loops=1),
        a_view(VIDEO, dave, phase="pause", loops=16),
        a_view(VIDEO, dave, phase="", loops=32),
        a_view(VIDEO, dave, phase="end", loops="0.5"),
    )

    assert {"views": 2, "unique_viewers": 2, "loops": 4.0} == fields(api, VIDEO, *PLAYED)


def test_a_session_is_one_view_of_one_viewer(api):
    publish(
        VIDEO,
        EDITED,
        OTHER,
        a_view(VIDEO, bob, phase="start", session="s1", via="e"),
        a_view(EDITED, bob, phase="start", session="s1", via="a", at=2),
        a_view(VIDEO, bob, session="s1", at=3),
        a_view(VIDEO, carol, phase="start", session="s1"),
        # Without a session each start is one.
        a_view(VIDEO, carol, phase="start", at=2),
        a_view(VIDEO, carol, phase="start", session="", at=3),
        a_view(OTHER, bob, phase="start", session="s1"),
    )

    assert {"views": 4, "unique_viewers": 2, "loops": 0.0} == fields(api, EDITED, *PLAYED)
    assert [1] == each(api, [OTHER], "views")


def test_a_viewer_has_a_hundred_views_of_a_video_on_a_day(api):
    publish(
        VIDEO,
        OTHER,
        *(a_view(VIDEO, bob, phase="start", at=MIDNIGHT - 1 - n) for n in range(101)),
        *(a_view(VIDEO, bob, phase="start", at=MIDNIGHT + n) for n in range(2)),
        a_view(VIDEO, carol, phase="start", at=MIDNIGHT - 1),
        a_view(OTHER, bob, phase="start", at=MIDNIGHT - 1),
        # A session that starts twice counts on its first day, which is full.
        a_view(VIDEO, bob, phase="start", session="long", at=MIDNIGHT - 2),
        a_view(VIDEO, bob, phase="start", session="long", at=MIDNIGHT + 5),
    )

    assert {"views": 100 + 2 + 1, "unique_viewers": 2, "loops": 0.0} == fields(api, VIDEO, *PLAYED)
    assert [1] == each(api, [OTHER], "views")


def test_loops_are_capped_for_each_event_and_for_each_viewer_and_day(api):
    publish(
        VIDEO,
        OTHER,
        *(a_view(VIDEO, bob, phase="end", loops="9" * 30, at=MIDNIGHT - 1 - n) for n in range(11)),
        a_view(VIDEO, bob, phase="end", loops=5, at=MIDNIGHT),
        a_view(VIDEO, carol, phase="end", loops="1000.001", at=MIDNIGHT - 1),
        a_view(OTHER, bob, phase="end", loops=10_000, at=MIDNIGHT - 1),
    )

    assert [10_000 + 5 + 1_000, 1_000] == each(api, [VIDEO, OTHER], "loops")


def test_loops_are_counted_in_whole_thousandths_and_what_is_no_number_is_none(api):
    readable = ["0.0019", "1.9999", "0002.5", "3"]
    unreadable = ["1e3", "-4", ".5", "5.", "1,5", "NaN", "Infinity", "six", "", " 7", "0x10"]
    loops = [*readable, *unreadable]
    publish(VIDEO, *(a_view(VIDEO, bob, loops=text, at=at) for at, text in enumerate(loops)))

    expected = {"views": len(loops), "unique_viewers": 1, "loops": 0.001 + 1.999 + 2.5 + 3}
    assert expected == fields(api, VIDEO, *PLAYED)


def test_views_are_in_no_total_and_no_score(api):
    publish(
        VIDEO,
        a_view(VIDEO, bob, loops=3),
        an_event(Kind.VIEW, carol, tags=[("a", address(OTHER))], at=1),
    )

    assert {"total_events": 1, "total_videos": 1, "vine_videos": 0} == api.get("/api/stats").json()
    expected = {"engagement_score": 0, "reactions": 0, "views": 1}
    assert expected == fields(api, VIDEO, *expected)
