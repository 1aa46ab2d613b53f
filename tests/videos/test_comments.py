"""`GET /api/v2/videos/{id}/comments`: what people say to a video."""

from __future__ import annotations

import pytest

from tests.builders import (
    T,
    a_comment,
    a_deletion,
    a_note,
    a_profile,
    a_vanish,
    a_video,
    alice,
    as_json,
    bob,
    carol,
    dave,
    mallory,
)
from tests.published import publish
from tests.videos.lists import assert_complete, get, pages_by_cursor
from videos.serializers import Comment

VIDEO = a_video(alice, "cats")
PATH = "/api/v2/videos/cats/comments"


def said(api, **params):
    return [row["content"] for row in get(api, PATH, **params)["data"]]


def test_a_comment_is_the_signed_event_with_its_author(api):
    comment = a_comment(VIDEO, bob, "First")
    publish(VIDEO, comment, a_profile(bob, display_name="Bob", picture="https://media.example/b"))

    [row] = get(api, PATH)["data"]

    assert as_json(comment).items() <= row.items()
    assert {
        "author_name": "Bob",
        "author_avatar": "https://media.example/b",
        "reply_to_event_id": None,
        "reply_to_pubkey": None,
    }.items() <= row.items()
    assert set(Comment().fields) == set(row)


def test_a_reply_says_whom_it_answers(api):
    first = a_comment(VIDEO, bob, "first")
    reply = a_comment(VIDEO, carol, "reply", parent=first, at=2)
    note = a_note(dave, "note", root=VIDEO, at=3)
    answer = a_note(bob, "answer", root=VIDEO, reply=note, at=4)
    publish(VIDEO, first, reply, note, answer)

    rows = {row["content"]: row for row in get(api, PATH)["data"]}

    assert {"first": None, "reply": first.id, "note": None, "answer": note.id} == {
        content: row["reply_to_event_id"] for content, row in rows.items()
    }
    assert bob.pubkey == rows["reply"]["reply_to_pubkey"]


def test_what_is_deleted_expired_vanished_or_protected_is_not_shown(api):
    deleted = a_comment(VIDEO, bob, "deleted")
    publish(
        *(VIDEO, deleted, a_deletion(deleted, by=bob)),
        a_comment(VIDEO, carol, "expired", tags=[("expiration", str(T + 9))]),
        *(a_comment(VIDEO, mallory, "vanished"), a_vanish(mallory)),
        a_comment(VIDEO, carol, "protected", tags=[("-",)]),
        a_comment(VIDEO, carol, "live"),
    )

    assert ["live"] == said(api)


def test_comments_on_every_version_are_there(api):
    newer = a_video(alice, "cats", at=10)
    publish(*(VIDEO, newer), a_comment(VIDEO, bob, "old", via="e"), a_comment(newer, bob, "new"))

    assert {"old", "new"} == set(said(api))


def test_the_newest_or_the_oldest_come_first(api):
    publish(VIDEO, *(a_comment(VIDEO, bob, str(n), at=n) for n in range(1, 4)))

    assert ["3", "2", "1"] == said(api) == said(api, sort="newest")
    assert ["1", "2", "3"] == said(api, sort="oldest", _cb="abc")
    assert ["2"] == said(api, sort="oldest", offset=1, limit=1)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize(("rows", "limit"), [(23, 5), (24, 12), (3, 100)])
def test_pages_are_full_and_lose_nothing(api, sort, rows, limit):
    publish(VIDEO, *(a_comment(VIDEO, bob, str(n), at=1 + n // 5) for n in range(rows)))

    pages = list(pages_by_cursor(api, PATH, limit=limit, sort=sort))

    assert_complete(pages, rows=rows, limit=limit)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_new_comments_do_not_shift_the_next_page(api, sort):
    publish(VIDEO, *(a_comment(VIDEO, bob, str(n), at=10 + n // 3) for n in range(5)))
    first = get(api, PATH, limit=3, sort=sort)
    # One that comes late, and one that is new.
    publish(*(a_comment(VIDEO, carol, f"at {at}", at=at) for at in (1, 99)))

    second = get(api, PATH, limit=3, sort=sort, cursor=first["pagination"]["next_cursor"])

    shown = [row["content"] for page in (first, second) for row in page["data"]]
    assert len(shown) == len(set(shown))
    assert {"0", "1", "2", "3", "4"} < set(shown)


def test_a_cursor_is_of_one_order_and_rows_may_be_counted(api):
    publish(VIDEO, *(a_comment(VIDEO, bob, str(n), at=n + 1) for n in range(5)))
    first = get(api, PATH, limit=2)

    other = api.get(PATH, {"sort": "oldest", "cursor": first["pagination"]["next_cursor"]})
    second = get(api, PATH, limit=2, cursor="o:2")

    assert 400 == other.status_code
    assert ["2", "1"] == [row["content"] for row in second["data"]]
    assert "o:4" == second["pagination"]["next_cursor"]


def test_no_video_no_comments(api):
    assert 404 == api.get("/api/v2/videos/none/comments").status_code


@pytest.mark.parametrize("query", ["sort=best", "limit=0", "offset=-1", "cursor=x"])
def test_a_malformed_parameter_is_a_400(api, query):
    publish(VIDEO)

    assert 400 == api.get(f"{PATH}?{query}").status_code
