"""Random event sets: every public answer is the one that the naive oracle gives."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from funnel import clock
from funnel.clickhouse import Clickhouse, connections
from funnel.sql import Query, parse_query
from notifications.queries import notifications
from notifications.read_marks import Read
from tests.builders import as_json, lightning_service
from tests.conftest import empty_every_table
from tests.delivery import OWN_URLS, Delivery
from tests.oracle import PROFILE_FIELDS, Config, Notification, Oracle, Stats, Video
from tests.strategies import Cast, EventSet, event_sets

# Chosen for each run, printed in its header; FUZZ_SEED=… repeats one.
SEED = int(os.environ["FUZZ_SEED"])
EVENT_SETS = int(os.environ.get("FUZZ_EXAMPLES", "40"))
# Of ten event sets one is alone in the database, so that what a pass leaves out because nothing of
# that kind has come is right; the others share it with sets of other people: what a pass and an
# answer cost hardly grows with the events.
CASTS_TOGETHER = 16
ALONE = max(1, EVENT_SETS // 10)
TOGETHER = max(1, -(-(EVENT_SETS - ALONE) // CASTS_TOGETHER))
NOTIFICATION_FIELDS = tuple(field.name for field in dataclasses.fields(Notification))
SEARCHED = ("cats", "DOG", "edited", "strass", "café", "cafe", "猫", "on", "two", "t")


def question(name: str, text: str) -> Query:
    return parse_query(f"tests.{name}", f"-- {name}\n{text}")


DAYS = question(
    "days",
    "SELECT toUnixTimestamp(toDateTime(day, 'UTC')) AS start, active_users"
    " FROM daily_active_users(now = {now:UInt32})",
)
WEEKS = question(
    "weeks",
    "SELECT toUnixTimestamp(toDateTime(week, 'UTC')) AS start, active_users"
    " FROM weekly_active_users(now = {now:UInt32})",
)
MONTHS = question(
    "months",
    "SELECT toUnixTimestamp(toDateTime(month, 'UTC')) AS start, active_users"
    " FROM monthly_active_users(now = {now:UInt32})",
)
CREATORS = question(
    "creators",
    "SELECT pubkey, video_count, engagement_score FROM top_video_creators(now = {now:UInt32})"
    " ORDER BY engagement_score DESC, video_count DESC, pubkey ASC",
)
HASHTAGS = question(
    "hashtags",
    "SELECT hashtag, video_count, unique_creators FROM popular_video_hashtags(now = {now:UInt32})"
    " ORDER BY video_count DESC, unique_creators DESC, hashtag ASC",
)
FACTS = question(
    "facts",
    "SELECT video_key, emoji_images, reports, labels, plain_score, trusted_score"
    " FROM videos(now = {now:UInt32})",
)
PROFILES = question(
    "profiles",
    "SELECT pubkey, id, name, display_name, about, picture, banner, nip05, lud16, website"
    " FROM user_profiles FINAL WHERE live AND expiration > {now:UInt32}",
)
FOLLOWS = question("follows", "SELECT pubkey, entry FROM list_entries FINAL WHERE kind = 3")
AUTHORED_TABLES = question(
    "authored_tables",
    "SELECT table, countIf(name = 'kind') AS has_kind FROM system.columns"
    # The request itself is kept, as the proof.
    " WHERE database = currentDatabase() AND table != 'vanish_requests'"
    " AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase()"
    " AND endsWith(engine, 'MergeTree'))"
    " GROUP BY table HAVING countIf(name = 'pubkey') > 0 AND countIf(name = 'created_at') > 0",
)
REMAINS = question(
    "remains",
    "SELECT pubkey, min(created_at) AS earliest FROM {relation:Identifier}"
    " WHERE pubkey IN {pubkeys:Array(String)} AND kind != 62 GROUP BY pubkey",
)
REMAINS_WITHOUT_KIND = question(
    "remains_without_kind",
    "SELECT pubkey, min(created_at) AS earliest FROM {relation:Identifier}"
    " WHERE pubkey IN {pubkeys:Array(String)} GROUP BY pubkey",
)


def row_of(video: Video, stats: Stats) -> dict[str, Any]:
    """The video row that the API owes for a live video."""
    return {
        "id": video.id,
        "pubkey": video.pubkey,
        "created_at": video.created_at,
        "published_at": video.published,
        "kind": video.kind,
        "address": video.address or "",
        "title": video.title,
        "content": video.description,
        "video_url": video.video_url,
        "thumbnail": video.thumbnail,
        "duration": video.duration_seconds,
        "dimensions": video.dimensions,
        "blurhash": video.blurhash,
        "sha256": video.sha256,
        "hashtags": sorted(video.hashtags),
        "sensitive": video.sensitive,
        "content_warning": video.content_warning,
        "platform": video.platform,
        "embedded_loops": video.embedded_loops,
        "embedded_likes": video.embedded_likes or 0,
        "embedded_comments": video.embedded_comments or 0,
        "embedded_reposts": video.embedded_reposts or 0,
        "reactions": stats.reactions,
        "likes": stats.likes,
        "dislikes": stats.dislikes,
        "emojis": stats.emojis,
        "comments": stats.comments,
        "reposts": stats.reposts,
        "quotes": stats.quotes,
        "bookmarks": stats.bookmarks,
        "zaps": stats.zaps_verified,
        "zap_msat": stats.zap_msat_verified,
        "zaps_unverified": stats.zaps_unverified,
        "zap_msat_unverified": stats.zap_msat_unverified,
        "views": stats.views,
        "unique_viewers": stats.unique_viewers,
        "loops": stats.loops,
        "engagement_score": stats.engagement_score,
    }


def check(api: APIClient, oracle: Oracle) -> None:
    """Every answer of the service equals the oracle's."""
    expected: dict[str, Any] = dict(oracle.answers())
    reader = connections["reader"]
    now = {"now": oracle.now}
    choose = random.Random(SEED)

    def rows(query: Query, **params: Any) -> list[dict[str, Any]]:
        return reader.select(query, params)

    def videos(path: str, **params: str) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = []
        while True:
            response = api.get(path, {"limit": "100", "offset": str(len(shown)), **params})
            assert 200 == response.status_code, response.content
            shown += response.json()
            if len(response.json()) < 100:
                return shown

    def keys(path: str, **params: str) -> list[str]:
        return [row["address"] or row["id"] for row in videos(path, **params)]

    totals = expected["totals"]
    assert {
        "total_events": totals.events,
        "total_videos": totals.videos,
        "vine_videos": totals.vine_videos,
    } == api.get("/api/stats").json()

    # Lists
    recent = videos("/api/videos", sort="recent")
    assert expected["recent"] == [row["address"] or row["id"] for row in recent]
    assert expected["popular"] == keys("/api/videos", sort="popular")
    for trust, name in (("on", "trending"), ("off", "plain_trending")):
        trending = videos("/api/videos", sort="trending", trust=trust)
        shown_keys = [row["address"] or row["id"] for row in trending]
        assert sorted(expected[name]) == sorted(shown_keys)
        scores = [
            (stats.trusted_score if trust == "on" else stats.plain_score) * oracle.decay(stats.key)
            for stats in (expected["stats"][key] for key in shown_keys)
        ]
        for first, second in itertools.pairwise(scores):
            assert first > second or math.isclose(first, second, rel_tol=1e-9)
        for score, row in zip(scores, trending, strict=True):
            assert math.isclose(score, row["trending_score"], rel_tol=1e-9)
        hashtags = videos("/api/hashtags/trending", trust=trust)
        sums = [row["trending_score"] for row in hashtags]
        assert sums == sorted(sums, reverse=True)
        owed_sums = expected[f"{name}_hashtags"]
        assert owed_sums == pytest.approx(
            {row["hashtag"]: row["trending_score"] for row in hashtags}, abs=1e-4
        )
    kind = choose.choice((21, 22, 34235, 34236))
    assert oracle.recent(kind=kind) == keys("/api/videos", sort="recent", kind=str(kind))
    creators = sorted({video.pubkey for video in expected["videos"].values()})
    for author in choose.sample(creators, min(3, len(creators))):
        assert oracle.recent(author=author) == keys(f"/api/users/{author}/videos")
    for hashtag in expected["hashtags"][:2]:
        assert oracle.recent(hashtag=hashtag.hashtag) == keys("/api/search", tag=hashtag.hashtag)

    for words in (["ca"], ["one", "dogs"], [choose.choice(SEARCHED)]):
        assert oracle.search(words) == keys("/api/search", q=" ".join(words)), words

    # One video
    for row in recent:
        key = row["address"] or row["id"]
        owed = row_of(expected["videos"][key], expected["stats"][key])
        shown = {name: row[name] for name in owed}
        shown["hashtags"] = sorted(shown["hashtags"])
        assert owed == shown
        assert math.isclose(
            expected["stats"][key].trending_score, row["trending_score"], rel_tol=1e-9
        )
    aliases = expected["aliases"]
    every_alias = list(aliases)
    for names in (every_alias[at : at + 100] for at in range(0, len(every_alias), 100)):
        bulk = api.post("/api/videos/bulk", {"event_ids": names}, format="json").json()
        assert [name for name in names if aliases[name] is None] == bulk["missing"]
        current = {expected["videos"][aliases[name]].id for name in names if aliases[name]}
        assert current == {video["id"] for video in bulk["videos"]}
    for event_id in choose.sample(every_alias, min(2, len(every_alias))):
        key = aliases[event_id]
        response = api.get(f"/api/videos/{event_id}/stats")
        assert (200 if key else 404) == response.status_code
        if key:
            assert expected["videos"][key].id == response.json()["id"]
    for fact in rows(FACTS, **now):
        stats = expected["stats"][fact["video_key"]]
        assert stats.emoji_images == {(emoji, url): n for emoji, url, n in fact["emoji_images"]}
        assert stats.reports == dict(fact["reports"])
        assert stats.labels == {(space, label): n for space, label, n in fact["labels"]}
        assert stats.plain_score == fact["plain_score"]
        assert stats.trusted_score == fact["trusted_score"]

    # Everything
    assert [
        (each.pubkey, each.video_count, each.engagement_score) for each in expected["creators"]
    ] == [tuple(row.values()) for row in rows(CREATORS, **now)]
    assert [
        (each.hashtag, each.video_count, each.unique_creators) for each in expected["hashtags"]
    ] == [tuple(row.values()) for row in rows(HASHTAGS, **now)]
    for name, query in (("daily", DAYS), ("weekly", WEEKS), ("monthly", MONTHS)):
        periods = {row["start"]: row["active_users"] for row in rows(query, **now)}
        assert expected[f"{name}_active_users"] == periods

    # People
    profiles = {row["pubkey"]: row for row in rows(PROFILES, **now)}
    for pubkey, profile in expected["profiles"].items():
        shown_profile = profiles.get(pubkey)
        assert (profile is None) == (shown_profile is None)
        if profile is not None and shown_profile is not None:
            assert profile.id == shown_profile["id"]
            assert profile.fields == {name: shown_profile[name] for name in PROFILE_FIELDS}
    follows = [(row["pubkey"], row["entry"]) for row in rows(FOLLOWS)]
    for pubkey in expected["following"]:
        assert expected["following"][pubkey] == {b for a, b in follows if a == pubkey}
        assert expected["followers"][pubkey] == {a for a, b in follows if b == pubkey}

    # What others did: of authors, commenters and others.
    people = sorted(expected["profiles"])
    asked = choose.sample(creators, min(3, len(creators)))
    for pubkey in [*asked, *choose.sample(people, min(2, len(people)))]:
        told = notifications(now=oracle.now, pubkey=pubkey, read=Read(), row_limit=500)
        assert oracle.notifications(pubkey)[:500] == [
            Notification(**{name: row[name] for name in NOTIFICATION_FIELDS}) for row in told.rows
        ]
        assert len(oracle.notifications(pubkey)) == told.unread_count

    # NIP-62: nothing of who has vanished is anywhere.
    if oracle.barriers:
        for table in rows(AUTHORED_TABLES):
            query = REMAINS if table["has_kind"] else REMAINS_WITHOUT_KIND
            for left in rows(query, relation=table["table"], pubkeys=sorted(oracle.barriers)):
                assert oracle.barriers[left["pubkey"]] < left["earliest"], table["table"]


def deliver_and_check(
    event_set: EventSet, deliveries: int, seeds: bool, clickhouse: Clickhouse, api: APIClient
) -> None:
    """seeds: whether everybody has to be known to dave to be trusted."""
    casts = [Cast.numbered(number) for number in range(CASTS_TOGETHER)]
    config = Config(
        own_urls=OWN_URLS,
        zap_signers=frozenset([lightning_service.pubkey]),
        trusted_labelers=frozenset(cast.carol.pubkey for cast in casts),
        trust_seeds=frozenset(cast.dave.pubkey for cast in casts if seeds),
    )
    empty_every_table(clickhouse)
    delivery = Delivery(
        clickhouse,
        now=event_set.now,
        zap_signers=tuple(config.zap_signers),
        trusted_labelers=tuple(config.trusted_labelers),
        trust_seeds=tuple(config.trust_seeds),
        just_started=True,
    )
    events = [as_json(event) for event in event_set.deliveries]
    size = -(-len(events) // deliveries) or 1

    delivery.deliver(events[start : start + size] for start in range(0, len(events), size))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: event_set.now)
        check(api, Oracle(event_set.accepted, event_set.now, config))


# A failing set is shown as it is: each attempt to shrink it costs a second.
ONCE = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0)
@seed(SEED)
@settings(ONCE, max_examples=ALONE)
@given(event_set=event_sets(), deliveries=st.integers(1, 3), seeds=st.booleans())
def test_every_answer_is_the_oracles(
    event_set: EventSet, deliveries: int, seeds: bool, clickhouse: Clickhouse, api: APIClient
):
    deliver_and_check(event_set, deliveries, seeds, clickhouse, api)


@pytest.mark.timeout(0)
@seed(SEED)
@settings(ONCE, max_examples=TOGETHER)
@given(
    event_set=event_sets(casts=CASTS_TOGETHER), deliveries=st.integers(1, 3), seeds=st.booleans()
)
def test_every_answer_about_many_people_is_the_oracles(
    event_set: EventSet, deliveries: int, seeds: bool, clickhouse: Clickhouse, api: APIClient
):
    deliver_and_check(event_set, deliveries, seeds, clickhouse, api)
