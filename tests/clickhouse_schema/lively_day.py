"""One of everything that an answer can depend on, and what the database makes of it."""

from __future__ import annotations

from typing import Any

from clickhouse_schema.read_model import READ_MODEL
from funnel.clickhouse import Clickhouse
from funnel.nostr import Event, Kind
from funnel.sql import parse_query
from tests.builders import (
    T,
    a_comment,
    a_deletion,
    a_label,
    a_note,
    a_profile,
    a_quote,
    a_reaction,
    a_report,
    a_repost,
    a_vanish,
    a_video,
    a_view,
    a_zap,
    alice,
    an_event,
    as_json,
    bob,
    bookmarks,
    carol,
    dave,
    follows,
    histories,
    mallory,
)

NOW = T + 100_000

VIDEO = a_video(alice, "v1", title="cats", tags=[("t", "#Cats"), ("expiration", str(NOW + 500))])
EDITED = a_video(alice, "v1", title="more cats", at=5)
SHORT = a_video(bob, None, kind=Kind.SHORT_VIDEO, title="dogs")
DELETED = a_video(carol, "gone", at=1)
BOOKMARKS = bookmarks(bob, EDITED, SHORT, at=3)

EVENTS: tuple[Event, ...] = (
    VIDEO,
    EDITED,
    SHORT,
    DELETED,
    a_deletion(DELETED, by=carol, via="a", at=4),
    a_video(carol, "expires", at=2, tags=[("expiration", str(NOW + 100))]),
    a_video(carol, "later", at=100_000 + 2_000),
    a_reaction(VIDEO, bob),
    a_reaction(EDITED, carol, "-", via="a"),
    a_reaction(EDITED, dave, "🔥", via="both"),
    a_reaction(SHORT, alice, tags=[("expiration", str(NOW + 200))]),
    a_comment(EDITED, bob),
    a_note(carol, root=VIDEO),
    a_repost(EDITED, carol),
    a_quote(SHORT, dave),
    a_zap(EDITED, bob, millisats=21_000),
    a_report(SHORT),
    a_label(EDITED, "funny"),
    a_view(EDITED, bob, phase="start", session="s1"),
    a_view(EDITED, carol, loops="1.5"),
    a_view(SHORT, carol, at=100_000 + 3_000),
    bookmarks(bob, EDITED, at=2),
    BOOKMARKS,
    follows(bob, alice, carol, at=1),
    follows(bob, alice, at=2),
    a_profile(alice, name="old"),
    a_profile(alice, name="Alice", at=1),
    a_video(mallory, "spam"),
    a_reaction(EDITED, mallory),
    a_vanish(mallory, at=50),
    a_vanish(dave, "wss://elsewhere.example.com", at=50),
    an_event(Kind.GIFT_WRAP, dave, tags=[("p", mallory.pubkey)], at=3),
    *histories(bob, carol),
)
DELIVERED = [[as_json(event) for event in EVENTS]]

# Everything that materialized views fill, but for the record of arrivals.
FACTS = (
    "deletions",
    "engagement",
    "engagement_targets",
    "events_by_author",
    "events_by_kind",
    "list_versions",
    "playback_targets",
    "playbacks",
    "playbacks_by_time",
    "profile_versions",
    "vanish_requests",
    "video_aliases",
    "video_versions",
)
ANSWERS = (*(table for part in READ_MODEL for table in part.tables), "trust_weights")


def facts(door: Clickhouse) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(door, table) for table in FACTS}


def answers(door: Clickhouse) -> dict[str, list[dict[str, Any]]]:
    """The read model without the passes that wrote it."""
    return {table: rows(door, table, without="version") for table in ANSWERS}


def rows(door: Clickhouse, table: str, without: str = "") -> list[dict[str, Any]]:
    columns = f"* EXCEPT {without}" if without else "*"
    # Not the word FINAL: not every engine knows it.
    query = f"-- All of it.\nSELECT {columns} FROM {table} ORDER BY ALL SETTINGS final = 1"
    return door.select(parse_query("tests.rows", query), {})
