"""The answers that two published apps parse, one by one: names and JSON types of what they read.

A golden answer has a type where the app casts, a value where it compares, a list of one where it
goes through rows, of which there has to be one. Fields beside those are no matter to the apps;
tests/test_openapi.py has all. How they go from page to page is in tests/videos/test_consumers.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, NamedTuple, get_args

import orjson
import pytest
from rest_framework.test import APIClient

from funnel.clickhouse import connections
from tests.builders import (
    T,
    a_comment,
    a_deletion,
    a_profile,
    a_reaction,
    a_repost,
    a_video,
    a_view,
    alice,
    bob,
    carol,
    dave,
    follows,
)
from tests.conftest import empty_every_table
from tests.published import NOW, clock_at_now, publish
from tests.signed_requests import header_of, proof

__all__ = ["clock_at_now"]

pytestmark = [pytest.mark.usefixtures("clock_at_now"), pytest.mark.django_db]

# --- What is published ----------------------------------------------------------------------------

VINE = a_video(
    alice,
    "5dhdEiniwUO",
    title="dart one",
    at=0,
    tags=[
        ("imeta", "url https://media.example/v.mp4", "image https://media.example/t.jpg"),
        ("platform", "vine"),
        ("loops", "142678928"),
        ("likes", "459878"),
        ("t", "funny"),
        ("t", "music"),
    ],
)
VIDEO = a_video(
    alice,
    "a?b/c#d",
    title="dart two",
    content="With a dog.",
    at=10,
    tags=[
        ("imeta", "url https://media.example/w.mp4", "image https://media.example/u.jpg"),
        ("t", "funny"),
        ("p", bob.pubkey, "", "Collaborator"),
    ],
)
GONE = a_video(alice, "gone", at=20)
COMMENT = a_comment(VIDEO, carol, "First", at=30)
REACTION = a_reaction(VIDEO, bob, at=40)
EVENTS = [
    *(VINE, VIDEO, GONE, COMMENT, REACTION),
    a_deletion(GONE, by=alice, at=50),
    a_comment(VIDEO, bob, "Second", parent=COMMENT, at=60),
    a_reaction(VINE, bob, at=40),
    a_repost(VIDEO, carol, at=40),
    *(
        a_view(each, by, loops="1.5", at=NOW - T - 9)
        for each in (VINE, VIDEO)
        for by in (bob, dave)
    ),
    a_profile(alice, name="alice", display_name="Alice A", picture="https://x/a.jpg"),
    a_profile(bob, name="bob", nip05="bob@x.example"),
    follows(bob, alice, dave),
    follows(carol, alice),
]

# --- What the apps read ---------------------------------------------------------------------------

# An app takes these whole or with a fraction.
Number = int | float
ID = PUBKEY = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
ADDRESS_OF_FILE = re.compile(r"https://media\.example/\w+\.(mp4|jpg)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
COUNTS = {"reactions": int, "comments": int, "reposts": int}
EMBEDDED = {"embedded_likes": int, "embedded_comments": int, "embedded_reposts": int}
SCORES = {"engagement_score": Number, "trending_score": Number}
ROW = {
    "id": ID,
    "pubkey": PUBKEY,
    "created_at": int,
    "published_at": int,
    "kind": 34236,
    "d_tag": str,
    "title": str,
    "content": str,
    "thumbnail": ADDRESS_OF_FILE,
    "video_url": ADDRESS_OF_FILE,
    "dimensions": str,
    "author_name": "Alice A",
    "author_avatar": "https://x/a.jpg",
    **COUNTS,
    **EMBEDDED,
    **SCORES,
    "embedded_loops": int | None,
    "loops": Number,
    "views": int,
    "platform": str,
    "classic": bool,
    "tags": [[str]],
}
VINE_ROW = ROW | {
    "d_tag": "5dhdEiniwUO",
    "platform": "vine",
    "classic": True,
    "loops": 3.0,
    "embedded_loops": 142678928,
    "embedded_likes": 459878,
    "reactions": 1,
    "views": 2,
}
LAST_PAGE = {"has_more": False, "next_cursor": None}
STATS = {**COUNTS, **SCORES, "views": int, "unique_viewers": int, "loops": Number}
EVENT = {
    "id": ID,
    "pubkey": PUBKEY,
    "created_at": int,
    "kind": int,
    "tags": [[str]],
    "content": str,
    "sig": SIGNATURE,
}
PROFILE = dict.fromkeys(
    ("name", "display_name", "about", "picture", "banner", "nip05", "lud16", "website"), str
)
FOLLOWS = {"follower_count": int, "following_count": int}
PERSON = {
    "pubkey": PUBKEY,
    "profile": PROFILE | {"profile_updated": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")},
    "social": FOLLOWS,
    "stats": {"video_count": int, "reaction_count": int},
    "engagement": {
        "total_reactions": int,
        "total_loops": Number,
        "total_views": int,
        "archived_loops": Number,
    },
    "has_vanish_request": False,
}
HASHTAG = {
    "hashtag": "funny",
    "video_count": 2,
    "unique_creators": int,
    "total_loops": int,
    "last_used": int,
    "trending_score": Number,
    "thumbnail": str,
}
PLAYED = {"views": int, "unique_viewers": int, "loops": Number}
DAY = {"date": DATE, "value": int}
AUTHOR = f"/api/users/{alice.pubkey}"
FOLLOWER = f"/api/users/{bob.pubkey}"
BY_D_TAG = "/api/videos/a%3Fb%2Fc%23d"


class Example(NamedTuple):
    name: str
    target: str
    golden: Any
    body: dict[str, Any] | None = None
    headers: dict[str, str] | None = None
    status: int = 200
    signed: bool = False


EXAMPLES = [
    Example("newest", "/api/videos?sort=recent&limit=12", [ROW]),
    Example("hashtag, later page", "/api/videos?tag=funny&sort=trending&limit=12&offset=1", [ROW]),
    Example("classics", "/api/videos?classic=true&platform=vine&sort=loops&limit=25", [VINE_ROW]),
    Example(
        "popular, first page",
        "/api/v2/videos?sort=popular&period=all&limit=1",
        {"data": [ROW], "pagination": {"has_more": True, "next_cursor": str}},
    ),
    Example(
        "published, last page",
        "/api/v2/videos?sort=published&limit=25&cursor=o:1",
        {"data": [VINE_ROW], "pagination": LAST_PAGE},
    ),
    Example(
        "profile grid",
        f"{AUTHOR}/videos?limit=12&sort=recent",
        [ROW],
        headers={"X-Total-Count": "2"},
    ),
    Example(
        "following, for the phone",
        f"{FOLLOWER}/feed?sort=recent&limit=1",
        {"videos": [ROW], "next_cursor": re.compile(r"\d+"), "has_more": True},
        headers={"Vary": "Origin"},
    ),
    Example(
        "recommendations",
        f"/api/users/{carol.pubkey}/recommendations?limit=12&fallback=popular",
        {
            "videos": [ROW],
            "source": re.compile("personalized|popular|recent"),
            "limit": 12,
            "offset": 0,
            "has_more": bool,
            "next_offset": int | None,
            "next_cursor": str | None,
            "fallback_applied": bool,
        },
    ),
    Example("search", "/api/search?q=dart&sort=trending&limit=12", [ROW]),
    Example(
        "search with a cursor that the app made",
        "/api/v2/search?q=dart&type=video&sort=trending&limit=1&cursor=o:1",
        {"data": [ROW], "pagination": LAST_PAGE},
    ),
    Example(
        "people",
        "/api/search/profiles?q=bob&limit=20&sort_by=relevance&has_videos=false",
        [
            {
                **{name: PROFILE[name] for name in ("display_name", "about", "picture", "banner")},
                "pubkey": bob.pubkey,
                "name": "bob",
                "nip05": "bob@x.example",
                "follower_count": 0,
                "video_count": 0,
            }
        ],
    ),
    Example("hashtags", "/api/hashtags?limit=1", [HASHTAG]),
    Example("hashtags as one types", "/api/hashtags/trending?q=FUN&limit=20", [HASHTAG]),
    Example("categories", "/api/categories", [{"name": str, "video_count": int}]),
    Example(
        "one video by its d tag",
        BY_D_TAG,
        {
            "event": EVENT | {"id": VIDEO.id, "sig": VIDEO.sig, "tags": VIDEO.tags},
            "stats": {
                **STATS,
                **EMBEDDED,
                "embedded_loops": None,
                "author_name": "Alice A",
                "author_avatar": "https://x/a.jpg",
            },
        },
    ),
    Example("its numbers", f"{BY_D_TAG}/stats", ROW | {"id": VIDEO.id, "event_id": VIDEO.id}),
    Example("its views", f"/api/videos/{VIDEO.id}/views", {"views": 2, "unique_viewers": 2}),
    Example(
        "numbers of a page",
        "/api/videos/stats/bulk",
        {
            "stats": {
                VINE.id: STATS | {"loops": 3.0, "embedded_loops": 142678928},
                VIDEO.id: STATS | {"embedded_loops": None},
            },
            "missing": ["b" * 64],
        },
        body={"event_ids": [VINE.id, VIDEO.id, "b" * 64]},
    ),
    Example(
        "many videos, one of them by its address",
        "/api/videos/bulk",
        {"videos": [ROW], "missing": [GONE.id], "source_event_id": None},
        body={"event_ids": [VIDEO.id, f"34236:{alice.pubkey}:5dhdEiniwUO", GONE.id]},
    ),
    Example(
        "authors of a page",
        "/api/users/bulk",
        {"users": [PERSON], "missing": [dave.pubkey[::-1]]},
        body={"pubkeys": [alice.pubkey, bob.pubkey, dave.pubkey[::-1]]},
    ),
    Example(
        "an author without a profile",
        "/api/users/bulk",
        {"users": [PERSON | {"pubkey": carol.pubkey, "profile": None}], "missing": []},
        body={"pubkeys": [carol.pubkey]},
    ),
    Example("a person", AUTHOR, PERSON | {"social": {"follower_count": 2, "following_count": 0}}),
    Example(
        "somebody unknown",
        f"/api/users/{'0' * 64}",
        PERSON | {"profile": None, "stats": {"video_count": 0, "reaction_count": 0}},
    ),
    Example(
        "counts of follows",
        f"{FOLLOWER}/social",
        {"pubkey": bob.pubkey, "follower_count": 0, "following_count": 2},
    ),
    Example(
        "followers",
        f"{AUTHOR}/followers?limit=50&offset=1",
        {"followers": [PUBKEY], "total": 2, "has_more": False},
    ),
    Example(
        "followed",
        f"{FOLLOWER}/following",
        {"following": [PUBKEY], "total": 2, "has_more": False},
    ),
    Example(
        "most played videos",
        "/api/leaderboard/videos?period=week&limit=50",
        {
            "period": "week",
            "entries": [
                {
                    **{name: ROW[name] for name in ("id", "pubkey", "kind", "d_tag", "title")},
                    **{name: ROW[name] for name in ("thumbnail", "video_url", "author_name")},
                    **PLAYED,
                    "author_avatar": "https://x/a.jpg",
                }
            ],
        },
    ),
    Example(
        "most played people",
        "/api/leaderboard/creators?period=alltime&limit=50",
        {
            "period": "alltime",
            "entries": [
                {
                    "pubkey": alice.pubkey,
                    "name": "alice",
                    "display_name": "Alice A",
                    "picture": "https://x/a.jpg",
                    "nip05": str | None,
                    **PLAYED,
                    "videos_with_views": 2,
                }
            ],
        },
    ),
    Example("the site", "/api/stats", {"total_events": int, "total_videos": 2, "vine_videos": 1}),
    Example(
        "comments",
        f"/api/v2/videos/{VIDEO.id}/comments?sort=newest&limit=1&offset=0",
        {
            "data": [
                EVENT
                | {
                    "kind": 1111,
                    "content": "Second",
                    "author_name": "bob",
                    "author_avatar": str | None,
                    "reply_to_event_id": COMMENT.id,
                    "reply_to_pubkey": carol.pubkey,
                }
            ],
            "pagination": {"next_cursor": str, "has_more": True},
        },
    ),
    Example(
        "the last comment, on the video itself",
        f"/api/v2/videos/{VIDEO.id}/comments?sort=newest&limit=25&offset=1",
        {
            "data": [
                EVENT | {"id": COMMENT.id, "reply_to_event_id": None, "reply_to_pubkey": None}
            ],
            "pagination": LAST_PAGE,
        },
    ),
    Example(
        "likers",
        f"/api/videos/{VIDEO.id}/likers?limit=500",
        {
            "data": [{"pubkey": bob.pubkey, "created_at": T + 40, "event_id": REACTION.id}],
            "pagination": LAST_PAGE,
        },
    ),
    Example(
        "one's own numbers",
        f"{AUTHOR}/analytics?window=30d",
        {
            "pubkey": alice.pubkey,
            "window": "30d",
            "period": "30d",
            "total_views": 4,
            "total_loops": 6.0,
            "total_watch_time": int | None,
            "unique_viewers": 2,
            "summary": {
                **COUNTS,
                "video_count": 2,
                "views": 4,
                "unique_viewers": 2,
                "has_view_data": True,
            },
            "timeseries": {
                "daily_views": [DAY],
                "daily_interactions": [DAY],
                "daily_follows": [],
            },
            "top_posts": [{"id": ID, "views": 2, "engagement_rate": Number}],
        },
        signed=True,
    ),
    Example(
        "what others did",
        f"{AUTHOR}/notifications?limit=30&types=reaction",
        {
            "notifications": [
                {
                    "source_pubkey": bob.pubkey,
                    "source_event_id": ID,
                    "source_kind": 7,
                    "notification_type": "reaction",
                    "created_at": int,
                    "read": False,
                    "content": "+",
                    "referenced_event_id": ID,
                    "referenced_event_title": str,
                    "referenced_d_tag": str,
                    "referenced_video": {
                        "title": str,
                        "thumbnail": ADDRESS_OF_FILE,
                        "d_tag": str,
                        "blurhash": str,
                    },
                    "root_event_id": ID,
                    "root_event_kind": 34236,
                    "root_event_pubkey": alice.pubkey,
                    "root_d_tag": str,
                    "root_addressable_id": re.compile(rf"34236:{alice.pubkey}:.+"),
                    "target_comment_id": None,
                    "source_profile": {
                        "display_name": str,
                        "picture": str,
                        "nip05": "bob@x.example",
                    },
                }
            ],
            "unread_count": 7,
            "next_cursor": None,
            "has_more": False,
        },
        signed=True,
    ),
    Example(
        "what others did, the last of it: follows, which are about no video",
        f"{AUTHOR}/notifications?types=follow&limit=1",
        {
            "notifications": [
                {
                    "source_kind": 3,
                    "notification_type": "follow",
                    "created_at": T,
                    "referenced_event_id": None,
                    "referenced_video": None,
                }
            ],
            "unread_count": int,
            "next_cursor": str,
            "has_more": True,
        },
        signed=True,
    ),
    Example(
        "one that is read",
        f"{AUTHOR}/notifications/read",
        {"success": True, "marked_count": 1},
        body={"notification_ids": [REACTION.id, "event-1"]},
        signed=True,
    ),
    Example(
        "collaborations",
        f"{FOLLOWER}/collabs?limit=50",
        [ROW | {"id": VIDEO.id, "tags": VIDEO.tags}],
    ),
    Example(
        "chosen tabs",
        "/api/featured-tabs",
        {"poll_interval_seconds": int, "featured_tabs": []},
    ),
    Example(
        "a tab that is over",
        "/api/featured-tabs/0b9c/videos?limit=12",
        {"data": [], "pagination": LAST_PAGE},
    ),
    Example("a signed event", f"/api/event/{REACTION.id}", EVENT | {"sig": REACTION.sig}),
    Example("health", "/api/health", {"status": "ok"}),
    Example("no such video", "/api/videos/none", {"error": "Video not found"}, status=404),
    Example(
        "too many",
        "/api/videos/bulk",
        {"error": "too many ids (max 100)"},
        body={"event_ids": ["x"] * 101},
        status=400,
    ),
]


def differences(golden: Any, answer: Any, at: str = "") -> Iterator[str]:
    """Where an app would not find what it reads."""
    if isinstance(golden, dict):
        if not isinstance(answer, dict):
            yield f"{at}: no object"
            return
        for name, inner in golden.items():
            if name in answer:
                yield from differences(inner, answer[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: missing"
    elif isinstance(golden, list) and len(golden) == 1 and not isinstance(answer, str):
        if not isinstance(answer, list) or not answer:
            yield f"{at}: no rows"
            return
        for number, row in enumerate(answer):
            yield from differences(golden[0], row, f"{at}[{number}]")
    elif isinstance(golden, re.Pattern):
        if not isinstance(answer, str) or not golden.fullmatch(answer):
            yield f"{at}: {answer!r}"
    elif isinstance(golden, type | UnionType):
        # What JSON calls a whole number; Python would take true for one.
        if type(answer) not in (get_args(golden) or (golden,)):
            yield f"{at}: {answer!r}"
    elif type(answer) is not type(golden) or answer != golden:
        yield f"{at}: {answer!r}"


@pytest.fixture(scope="module")
def published(migrated_clickhouse: None) -> None:
    empty_every_table(connections["default"])
    publish(*EVENTS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_answer_has_what_the_apps_read(published, settings, example):
    settings.PUBLIC_URL = "https://funnel.example"
    method = "GET" if example.body is None else "POST"
    body = None if example.body is None else orjson.dumps(example.body)
    signed = proof(settings.PUBLIC_URL + example.target, method, at=NOW - T, body=body)

    response = APIClient().generic(
        method,
        example.target,
        (body or b"").decode(),
        content_type="application/json",
        headers=header_of(signed) if example.signed else {},
    )

    assert example.status == response.status_code, response.content
    assert [] == list(differences(example.golden, response.json()))
    for name, value in (example.headers or {}).items():
        assert value == response[name]


def test_the_following_feed_is_an_array_for_a_page_in_a_browser(published):
    response = APIClient().get(f"{FOLLOWER}/feed", headers={"Origin": "https://app.example"})

    assert [] == list(differences([ROW], response.json()))


def test_a_feed_is_there(published):
    assert 200 == APIClient().head("/feed/latest").status_code


@pytest.mark.parametrize(
    ("golden", "answer"),
    [
        (int, True),
        (int, 1.0),
        (int | None, "1"),
        (str, None),
        ([int], []),
        ([int], [1, None]),
        ([], [1]),
        ({"a": int}, {}),
        ({"a": int}, [1]),
        (1, 1.0),
        (ID, "ab"),
    ],
)
def test_a_wrong_type_is_noticed(golden, answer):
    assert list(differences(golden, answer))
