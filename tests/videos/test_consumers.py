"""The apps that read these answers show every row, on every page, once."""

from __future__ import annotations

import math
from itertools import product

import pytest

from funnel.nostr import VIDEO_KINDS, Kind
from tests.builders import (
    a_comment,
    a_profile,
    a_reaction,
    a_video,
    a_view,
    alice,
    bob,
    dave,
    follows,
)
from tests.consumers import (
    browser_pages_by_before,
    browser_pages_by_offset,
    pages_by_cursor,
    phone_pages_of_following,
    shown_by_the_browser,
    shown_by_the_phone,
    unpacked,
)
from tests.published import publish
from videos.serializers import SORTS

ROWS, LIMIT = 26, 12
AUTHOR = f"/api/users/{alice.pubkey}"


@pytest.fixture
def get(api):
    def answer(path, params):
        response = api.get(path, params)
        assert 200 == response.status_code, response.content
        return response.json()

    return answer


@pytest.fixture(autouse=True)
def videos(empty_clickhouse):
    """Of all kinds, several in each second, with and without what may be missing."""
    made = [
        a_video(
            alice,
            f"v{n}",
            kind=VIDEO_KINDS[n % 4],
            title=f"cats {n}",
            at=n // 3,
            tags=[
                ("imeta", f"url https://media.example/{n}.mp4"),
                ("t", "cats"),
                ("p", bob.pubkey, "", "Collaborator"),
                *(
                    [("platform", "vine"), ("loops", "142678928"), ("likes", "7")]
                    if n % 5 == 0
                    else []
                ),
            ],
        )
        for n in range(ROWS)
    ]
    publish(
        *made,
        a_profile(alice, name="Alice"),
        follows(dave, alice),
        *(a_reaction(video, bob) for video in made[::2]),
        *(a_comment(video, bob) for video in made[::3]),
        *(a_view(video, bob, loops="1.5") for video in made[::4]),
    )
    return made


def assert_all_shown(pages):
    ids = [row["id"] for page in pages for row in page]
    assert ROWS == len(ids) == len(set(ids))
    assert math.ceil(ROWS / LIMIT) == len(pages)


ARRAYS: list[tuple[str, dict[str, str]]] = [
    ("/api/videos", {"nsfw": "show", "moderation_profile": "default"}),
    ("/api/videos", {"tag": "cats"}),
    ("/api/videos", {"category": "cats"}),
    (f"{AUTHOR}/videos", {}),
    (f"/api/users/{bob.pubkey}/collabs", {}),
]


def test_arrays_are_shown_to_the_last_row(get, subtests):
    for sort, (path, params) in product(SORTS, ARRAYS):
        with subtests.test(sort=sort, path=path, **params):
            pages = browser_pages_by_offset(get, path, limit=LIMIT, sort=sort, **params)

            assert_all_shown(list(pages))


def test_what_a_search_finds_is_shown_to_the_last_row(get, subtests):
    for sort in ("trending", "loops", "engagement"):
        with subtests.test(sort=sort):
            pages = browser_pages_by_offset(get, "/api/search", limit=LIMIT, q="cats", sort=sort)
            envelopes = pages_by_cursor(get, "/api/v2/search", limit=LIMIT, q="cats", sort=sort)

            assert_all_shown(list(pages))
            assert_all_shown(list(envelopes))


def test_envelopes_are_shown_to_the_last_row(get, subtests):
    for sort in SORTS:
        with subtests.test(sort=sort):
            assert_all_shown(list(pages_by_cursor(get, "/api/v2/videos", limit=LIMIT, sort=sort)))


def test_the_newest_are_shown_to_the_last_row_by_before(get):
    pages = browser_pages_by_before(get, "/api/videos", limit=LIMIT, sort="recent")

    ids = [row["id"] for page in pages for row in page]
    assert ROWS == len(ids) == len(set(ids))


def test_edits_do_not_hold_up_who_goes_on_by_the_time_of_the_last_row(api, get, videos):
    # All but a few, so that whole pages have been edited later than anything was published.
    publish(
        *(
            a_video(alice, f"v{n}", kind=video.kind, title="edited", at=90_000 + n, tags=video.tags)
            for n, video in enumerate(videos)
            if video.kind in (34235, 34236) and n > 2
        )
    )
    paths = ("/api/videos", f"/api/users/{dave.pubkey}/feed")
    api.credentials(HTTP_ORIGIN="https://web.example")

    for path in paths:
        pages = browser_pages_by_before(get, path, limit=4, sort="recent")
        ids = [row["id"] for page in pages for row in page]
        assert ROWS == len(ids) == len(set(ids)), path


def test_only_a_browser_is_told_when_an_edited_video_was_published(api, get, videos):
    [first] = [video for video in videos if video.kind == Kind.ADDRESSABLE_SHORT_VIDEO][:1]
    edited = a_video(alice, first.tags[0][1], kind=first.kind, at=90_000, tags=first.tags)
    publish(edited)

    def times():
        rows = {row["id"]: row for row in get("/api/videos", {"sort": "recent", "limit": "100"})}
        return rows[edited.id]["created_at"], rows[edited.id]["published_at"]

    app = times()
    api.credentials(HTTP_ORIGIN="https://web.example")

    assert (edited.created_at, first.created_at) == app
    assert (first.created_at, first.created_at) == times()
    for params in ("sort=recent", "sort=published"):
        assert "Origin" == api.get(f"/api/videos?{params}")["Vary"]
    assert "Vary" not in api.get("/api/videos?sort=popular")


def test_the_phone_shows_all_of_the_people_followed_and_the_browser_an_array(api, get):
    path = f"/api/users/{dave.pubkey}/feed"

    assert_all_shown(list(phone_pages_of_following(get, path, limit=LIMIT)))
    api.credentials(HTTP_ORIGIN="https://web.example")
    assert_all_shown(list(browser_pages_by_offset(get, path, limit=LIMIT, sort="trending")))


def test_the_only_rows_that_an_app_drops_have_nothing_to_play_or_an_empty_d_tag(api, get):
    playable = [("imeta", "url https://media.example/x.mp4")]
    silent = a_video(bob, "silent", tags=[("t", "rare")])
    nameless = a_video(bob, "", tags=[("t", "rare"), *playable])
    publish(silent, nameless)

    rows = {row["id"]: row for row in get("/api/videos", {"tag": "rare"})}

    assert {silent.id, nameless.id} == rows.keys()
    with pytest.raises(AssertionError, match="would be dropped"):
        shown_by_the_phone([rows[silent.id]])
    with pytest.raises(AssertionError, match="would be dropped"):
        shown_by_the_browser([rows[nameless.id]])


def test_what_belongs_to_one_video_has_the_types_that_are_read(api, get, videos):
    [short] = [video for video in videos if video.kind == Kind.SHORT_VIDEO][:1]
    publish(a_comment(short, bob), a_reaction(short, dave))

    comments, _ = unpacked(get(f"/api/v2/videos/{short.id}/comments", {"limit": "25"}))
    likers, _ = unpacked(get(f"/api/videos/{short.id}/likers", {"limit": "500"}))
    stats = api.post("/api/videos/stats/bulk", {"event_ids": [short.id]}, format="json").json()

    assert comments
    assert likers
    for row in comments:
        assert {"id": str, "pubkey": str, "created_at": int, "kind": int, "sig": str}.items() <= {
            name: type(value) for name, value in row.items()
        }.items()
    for row in likers:
        assert {"pubkey": str, "created_at": int, "event_id": str} == {
            name: type(value) for name, value in row.items()
        }
    assert dict is type(stats["stats"][short.id])
