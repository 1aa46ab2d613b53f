"""`GET /api/users/{pubkey}/notifications`: what others did that concerns oneself."""

from __future__ import annotations

import pytest

from clickhouse_schema.migrator import MIGRATIONS, read_migrations
from funnel.sql import parse_query
from notifications.queries import DETAILS, NOTIFICATIONS
from tests.builders import (
    T,
    a_comment,
    a_deletion,
    a_note,
    a_profile,
    a_reaction,
    a_repost,
    a_vanish,
    a_video,
    a_zap,
    address,
    alice,
    an_event,
    an_invoice,
    bob,
    carol,
    dave,
    follows,
    mallory,
)
from tests.consumers import notifications_of_the_browser, notifications_of_the_phone
from tests.notifications.signed import OWN_PATH, SITE, asked, marked, page
from tests.published import NOW, publish
from tests.signed_requests import header_of, proof
from tests.videos.test_reading import rows_read

pytestmark = pytest.mark.django_db

OTHERS = parse_query(
    "tests.acts_on_others",
    """-- Reactions to videos of other people, and replies to their comments.
    INSERT INTO engagement (
        target, relation, event_id, token, actor, pubkey, kind, created_at, expiration
    )
    SELECT
        concat('34236:', lower(hex(SHA256(toString(number % 1000)))), ':v') AS target,
        if(number % 2 = 0, 'reaction', 'reply') AS relation,
        lower(hex(SHA256(toString(number)))) AS event_id,
        '+' AS token,
        event_id AS actor,
        event_id AS pubkey,
        7 AS kind,
        {now:UInt32} AS created_at,
        4294967295 AS expiration
    FROM numbers(100000)
    """,
)
LISTS_OF_OTHERS = parse_query(
    "tests.lists_of_others",
    """-- Follow lists in which the person is not.
    INSERT INTO list_versions (list, id, pubkey, kind, created_at, expiration, entries)
    SELECT
        concat('3:', lower(hex(SHA256(toString(number)))), ':') AS list,
        lower(hex(SHA256(list))) AS id,
        lower(hex(SHA256(toString(number)))) AS pubkey,
        3 AS kind,
        {now:UInt32} AS created_at,
        4294967295 AS expiration,
        ['x'] AS entries
    FROM numbers(100000)
    """,
)


def told(rows):
    """Which event tells of what, at which second after T."""
    return [
        (row["source_event_id"], row["notification_type"], row["created_at"] - T) for row in rows
    ]


def test_one_is_told_what_others_did_and_nothing_else(api):
    old = a_video(alice, "v", title="before", at=0)
    video = a_video(
        alice,
        "v",
        title="Cats",
        at=50,
        tags=[("imeta", "url https://m.example/v.mp4", "image https://m.example/t.jpg")],
    )
    short = a_video(alice, kind=22, at=5)
    gone, of_bob = a_video(alice, "gone", at=0), a_video(bob, "b", title="Dogs", at=0)
    own = a_comment(of_bob, alice, "mine", at=20)
    own_gone = a_comment(of_bob, alice, "mine too", at=21)
    own_on_own = a_comment(video, alice, "thanks", at=60)
    like = a_reaction(old, bob, "🔥", at=100)
    taken_back = a_reaction(video, dave, at=100)
    comment = a_comment(video, bob, "nice", at=110)
    thread = a_comment(video, carol, "indeed", parent=comment, at=120)
    answer = a_comment(video, carol, "welcome", parent=own_on_own, at=125)
    note = a_note(dave, "old style", root=short, at=130)
    repost = a_repost(video, carol, at=140)
    zap = a_zap(video, dave, at=150)
    reply = a_comment(of_bob, carol, "a reply", parent=own, at=160)
    protected = a_comment(of_bob, dave, "for some", parent=own, at=161, tags=[("-",)])
    since = follows(bob, alice, carol, at=170)
    publish(
        *(old, video, short, gone, of_bob, own, own_gone, own_on_own, comment, thread, note, like),
        *(taken_back, repost, zap, reply, answer, protected),
        a_deletion(gone, by=alice, at=10),
        a_deletion(own_gone, by=alice, at=30),
        # Once for each person, at the first time, and not when the last word is a dislike.
        a_reaction(video, bob, "+", via="a", at=200),
        a_repost(video, carol, kind=6, via="e", at=210),
        a_zap(video, dave, invoice=an_invoice(1_000_000), at=211),
        a_reaction(video, carol, at=212),
        a_reaction(video, carol, "-", at=213),
        # Taken back, expired, not yet due, by somebody who has gone.
        a_deletion(taken_back, by=dave, at=220),
        a_comment(video, dave, "late", at=221, tags=[("expiration", str(NOW))]),
        a_comment(video, dave, "soon", at=NOW - T + 901),
        a_reaction(video, mallory, at=222),
        a_vanish(mallory, at=223),
        # One's own, and what is about something else.
        a_reaction(video, alice, at=230),
        a_comment(video, alice, "me", parent=comment, at=231),
        a_repost(video, alice, at=232),
        a_comment(of_bob, alice, "me", parent=own, at=233),
        a_reaction(gone, bob, at=234),
        a_reaction(of_bob, carol, at=235),
        a_comment(of_bob, carol, "to nobody", at=236),
        a_comment(of_bob, carol, "into nothing", parent=own_gone, at=237),
        a_note(carol, "elsewhere", reply=a_note(alice, "my note", at=9), at=238),
        a_reaction(own, carol, at=239),
        # Unbroken since the second of these, and a list that has dropped the person again.
        follows(bob, alice, at=160),
        follows(bob, carol, at=165),
        since,
        follows(bob, alice, at=180),
        follows(carol, alice, at=100),
        follows(carol, bob, at=101),
        follows(dave, alice, at=100),
        a_deletion(follows(dave, alice, at=100), by=dave, at=101),
        follows(alice, alice, at=100),
        a_profile(bob, name="bob", display_name="Bob B", picture="https://x/b.jpg"),
    )

    answered = page(api)

    assert [
        (since.id, "follow", 170),
        (protected.id, "reply", 161),
        (reply.id, "reply", 160),
        (zap.id, "zap", 150),
        (repost.id, "repost", 140),
        (note.id, "comment", 130),
        (answer.id, "reply", 125),
        (thread.id, "comment", 120),
        (comment.id, "comment", 110),
        (like.id, "reaction", 100),
    ] == told(answered["notifications"])
    assert 10 == answered["unread_count"]
    assert (False, None) == (answered["has_more"], answered["next_cursor"])
    rows = {row["source_event_id"]: row for row in answered["notifications"]}
    profile = {
        "name": "bob",
        "display_name": "Bob B",
        "picture": "https://x/b.jpg",
        "nip05": "",
    }
    about_the_video = {
        "referenced_event_id": video.id,
        "referenced_event_title": "Cats",
        "referenced_d_tag": "v",
        "referenced_video": {
            "title": "Cats",
            "thumbnail": "https://m.example/t.jpg",
            "d_tag": "v",
            "blurhash": "",
        },
        "root_event_id": video.id,
        "root_event_kind": 34236,
        "root_event_pubkey": alice.pubkey,
        "root_d_tag": "v",
        "root_addressable_id": address(video),
    }
    assert rows[like.id] == {
        "id": like.id,
        "source_pubkey": bob.pubkey,
        "source_event_id": like.id,
        "source_kind": 7,
        "source_created_at": T + 100,
        "source_profile": profile,
        "notification_type": "reaction",
        "created_at": T + 100,
        "read": False,
        "content": "🔥",
        "comment_content": None,
        "target_comment_id": None,
        **about_the_video,
    }
    assert rows[since.id] == {
        **rows[like.id],
        **dict.fromkeys(about_the_video),
        "id": since.id,
        "source_event_id": since.id,
        "source_kind": 3,
        "source_created_at": T + 170,
        "created_at": T + 170,
        "notification_type": "follow",
        "content": "",
    }
    assert about_the_video.items() <= rows[answer.id].items()
    assert {"content": "welcome", "target_comment_id": own_on_own.id}.items() <= rows[
        answer.id
    ].items()
    assert {
        "source_pubkey": carol.pubkey,
        "source_profile": None,
        "content": "a reply",
        "comment_content": "a reply",
        "target_comment_id": own.id,
        "root_event_id": of_bob.id,
        "root_event_pubkey": bob.pubkey,
        "referenced_event_title": "Dogs",
    }.items() <= rows[reply.id].items()
    assert "" == rows[protected.id]["content"]
    assert dave.pubkey == rows[zap.id]["source_pubkey"]
    assert {"source_kind": 1, "root_event_id": short.id, "root_addressable_id": None}.items() <= (
        rows[note.id].items()
    )
    # The browser drops zaps, and nothing else that is told.
    assert [id_ for id_ in rows if id_ != zap.id] == [
        row["id"] for row in notifications_of_the_browser(answered)
    ]
    assert list(rows) == [row["id"] for row in notifications_of_the_phone(answered)]
    # Whoever reacts is told of as the list of likers has it.
    likers = api.get(f"/api/videos/{video.id}/likers").json()["data"]
    assert {alice.pubkey, bob.pubkey} == {each["pubkey"] for each in likers}

    assert [like.id, repost.id] == [
        row["id"] for row in page(api, "?types=reaction,repost")["notifications"]
    ][::-1]
    assert [] == page(api, "?types=mention")["notifications"]
    assert 10 == page(api, "?types=mention,list_add")["unread_count"]
    # Where the video goes, all about it does.
    publish(a_deletion(video, by=alice, via="a", at=NOW - T), now=NOW)
    assert [since.id, protected.id, reply.id, note.id] == [
        row["id"] for row in page(api)["notifications"]
    ]


def test_pages_lose_and_repeat_nothing_though_many_are_of_one_second(api):
    video = a_video(alice, "v")
    comments = [a_comment(video, bob, f"{n}", at=10 + n // 5) for n in range(23)]
    publish(video, *comments)
    in_order = [e.id for e in sorted(comments, key=lambda e: (-e.created_at, e.id))]

    def get(query):
        return page(api, query)

    for limit in (5, 6, 23):
        pages, query = [], f"?limit={limit}"
        while query:
            answered = get(query)
            pages.append([row["id"] for row in answered["notifications"]])
            assert 23 == answered["unread_count"]
            cursor = answered["next_cursor"]
            query = f"?limit={limit}&before={cursor.replace(':', '%3A')}" if cursor else ""
        assert in_order == [id_ for ids in pages for id_ in ids]
        assert -(-23 // limit) == len(pages)
        assert all(limit == len(ids) for ids in pages[:-1])
    # The phone: by the time of the last row, which is inclusive, and by its id.
    seen, query = [], f"?limit=4&before={NOW}"
    while query:
        rows = get(query)["notifications"]
        seen += [row["id"] for row in rows]
        last = rows[-1] if len(rows) == 4 else None
        query = f"?limit=4&before={last['created_at']}&before_id={last['id']}" if last else ""
    assert in_order == seen
    assert in_order[3:] == [row["id"] for row in get(f"?before={T + 13}")["notifications"]]


def test_an_earlier_list_that_comes_later_dates_a_follow_back(api):
    publish(follows(bob, alice, carol, at=50))
    assert [50] == [row["created_at"] - T for row in page(api)["notifications"]]

    publish(follows(bob, alice, at=40), follows(bob, dave, at=20), follows(bob, alice, at=10))

    assert [40] == [row["created_at"] - T for row in page(api)["notifications"]]


def test_what_is_marked_is_read(api):
    video = a_video(alice, "v")
    likes = [a_reaction(video, by, at=10 + n) for n, by in enumerate((bob, carol, dave))]
    ahead = a_comment(video, bob, "ahead", at=NOW - T + 500)
    publish(video, *likes, ahead)
    assert (4, 4) == (page(api)["unread_count"], len(page(api)["notifications"]))

    # Those that are named, without what is none of the person's.
    assert 1 == marked(api, {"notification_ids": [likes[1].id, video.id, "x", "ab" * 32]})
    assert 0 == marked(api, {"notification_ids": [likes[1].id]})
    assert 0 == marked(api, {"notification_ids": []})
    assert [True] == [row["read"] for row in page(api)["notifications"] if row["id"] == likes[1].id]
    unread = page(api, "?unread_only=true")
    assert [ahead.id, likes[2].id, likes[0].id] == [row["id"] for row in unread["notifications"]]
    assert 3 == unread["unread_count"]

    # All: also what is dated ahead, but not what happens until then.
    assert 3 == marked(api, {})
    assert 0 == page(api)["unread_count"]
    assert [] == page(api, "?unread_only=true")["notifications"]
    later = a_comment(video, carol, "later", at=NOW - T + 1)
    publish(later)
    assert [later.id] == [row["id"] for row in page(api, "?unread_only=1")["notifications"]]
    assert [later.id, likes[2].id] == [
        row["id"] for row in page(api, "?types=comment,reaction&limit=3")["notifications"]
    ][1:]
    assert 1 == marked(api, {"notification_ids": None})


def test_nobody_else_reads_or_marks_and_no_cache_keeps_it(api):
    publish(video := a_video(alice, "v"), a_reaction(video, bob))

    for path, method, body in ((OWN_PATH, "GET", None), (f"{OWN_PATH}/read", "POST", b"{}")):
        unsigned = asked(api, path, method, body, by=None)
        others = asked(api, path, method, body, by=bob)
        assert (401, "Nostr") == (unsigned.status_code, unsigned["WWW-Authenticate"])
        assert 403 == others.status_code
        for refused in (unsigned, others):
            assert "no-store" == refused["Cache-Control"]
            assert ["error"] == list(refused.json())
        own = asked(api, path, method, body)
        assert 200 == own.status_code
        assert "private, no-cache" == own["Cache-Control"]
        assert "Authorization" in own["Vary"]
    # A signature counts once, for its body.
    path, body = f"{OWN_PATH}/read", b'{"notification_ids": []}'
    headers = header_of(proof(SITE + path, "POST", at=NOW - T, body=body))
    for status, sent in ((401, b"{}"), (200, body), (401, body)):
        answer = api.generic("POST", path, sent, content_type="application/json", headers=headers)
        assert status == answer.status_code
    assert 405 == asked(api, f"{OWN_PATH}/read", "GET", None).status_code


WRONG_PARAMETERS = {
    "before=o%3A3": "before",
    "before=yesterday": "before",
    f"before={'9' * 5000}": "before",
    "before=4294967296": "before",
    f"before={NOW}&before_id=x{'a' * 64}": "before_id",
    "types=reaction,poke": "types",
    "unread_only=perhaps": "unread_only",
    "limit=101": "limit",
}
WRONG_BODIES = [
    b"[]",
    b"x",
    b'{"notification_ids": "all"}',
    b'{"notification_ids": [{}]}',
    b'{"notification_ids": ["\\ud800"]}',
    b'{"notification_ids": [%s]}' % b",".join([b'"x"'] * 501),
]


def test_what_is_malformed_is_a_400_that_names_it(api):
    for query, name in WRONG_PARAMETERS.items():
        response = asked(api, f"{OWN_PATH}?{query}")
        assert 400 == response.status_code, query
        assert response.json()["error"].startswith(f"{name}:")
    for body in WRONG_BODIES:
        response = asked(api, f"{OWN_PATH}/read", "POST", body)
        assert 400 == response.status_code, body
        assert ["error"] == list(response.json())


def test_what_happens_to_others_is_not_read(api, empty_clickhouse):
    video, of_bob = a_video(alice, "v"), a_video(bob, "b")
    own = a_comment(of_bob, alice)
    publish(video, of_bob, own, a_reaction(video, bob), a_comment(of_bob, bob, parent=own, at=3))
    publish(follows(bob, alice))
    for query in (OTHERS, LISTS_OF_OTHERS):
        empty_clickhouse.execute(query, {"now": NOW})
    # A merge would read them all meanwhile.
    for table in ("engagement", "engagement_targets", "list_versions"):
        empty_clickhouse.command(f"OPTIMIZE TABLE {table} FINAL")
    assert ["reply", "reaction", "follow"] == [
        row["notification_type"] for row in page(api)["notifications"]
    ]

    values = {
        **{"now": NOW, "pubkey": alice.pubkey, "read_until": 0, "read_ids": [], "types": []},
        **{"unread_only": 0, "among": [], "after_created_at": NOW, "after_id": ""},
    }
    found = rows_read(empty_clickhouse, NOTIFICATIONS, values | {"row_limit": 50})
    shown = {"event_ids": [own.id], "actors": [bob.pubkey], "video_keys": [address(video)]}
    details = rows_read(empty_clickhouse, DETAILS, {"now": NOW, **shown})

    # A few granules of 64 to 256 for each time that a table is asked, of 200,000 rows.
    assert found < 10_000
    assert details < 2_000


def test_the_migration_files_replies_that_were_there_before(api, empty_clickhouse):
    video = a_video(bob, "b")
    own = a_comment(video, alice)
    publish(video, own, a_comment(video, carol, parent=own, at=3))
    before = page(api)["notifications"]
    empty_clickhouse.command(
        "ALTER TABLE engagement DELETE WHERE relation = 'reply' SETTINGS mutations_sync = 2"
    )
    assert [] == page(api)["notifications"]

    [migration] = [
        each for each in read_migrations(MIGRATIONS) if each.name == "0016_index_replies"
    ]
    # The view has been merged with others since.
    empty_clickhouse.command(migration.statements[-1])

    assert before == page(api)["notifications"]
    assert 1 == len(before)


def test_a_reply_to_a_comment_is_found_by_the_parent_and_by_nothing_else(api):
    video = a_video(bob, "b")
    own = a_comment(video, alice, at=1)
    own_note = a_note(alice, "old style", root=video, at=2)
    root = ("E", video.id)
    publish(
        *(video, own, own_note),
        # The first e of a comment is its parent; of a note the one marked so, else the last.
        by_e := an_event(1111, carol, tags=[root, ("e", own.id), ("e", "ab" * 32)], at=3),
        an_event(1111, carol, tags=[root, ("e", video.id), ("e", own.id)], at=4),
        by_mark := a_note(carol, root=video, reply=own_note, at=5),
        by_place := an_event(1, carol, tags=[("e", video.id), ("e", own_note.id)], at=6),
        an_event(1, carol, tags=[("e", video.id), ("e", own_note.id, "", "mention")], at=7),
    )

    assert [by_place.id, by_mark.id, by_e.id] == [row["id"] for row in page(api)["notifications"]]
