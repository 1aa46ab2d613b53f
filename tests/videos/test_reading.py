"""What the questions about videos read: few granules, however many videos there are."""

from __future__ import annotations

import re
from typing import Any

import pytest

from analytics.queries import USER
from clickhouse_schema.projector import Projector
from clickhouse_schema.rest import SQL
from funnel.clickhouse import Clickhouse
from funnel.sql import Query, load_query, parse_query
from tests.published import NOW
from videos import queries, recommendations
from videos.queries import (
    Filters,
    declared,
    feed_conditions,
    feed_source,
    feed_values,
)

VIDEOS = 8_000
AUTHORS = 400
GRANULE = 128
AUTHOR = f"{7:064x}"

FILL = parse_query(
    "tests.fill",
    """-- Many videos, with counts of Zipf's law, in one part.
    INSERT INTO video_stats (
        video_key, version, live, id, pubkey, kind, d_tag, created_at, published_at, expiration,
        video_url, hashtags, reactions, likes, comments, views, loops
    )
    SELECT
        concat('34236:', pubkey, ':', d_tag) AS video_key,
        {pass:UInt64} AS version,
        true AS live,
        lower(hex(SHA256(toString(number)))) AS id,
        leftPad(lower(hex(number % {authors:UInt32})), 64, '0') AS pubkey,
        34236 AS kind,
        concat('d', toString(number)) AS d_tag,
        {now:UInt32} - 3600 * number AS created_at,
        created_at AS published_at,
        4294967295 AS expiration,
        'https://media.example/1.mp4' AS video_url,
        [concat('tag', toString(number % 20))] AS hashtags,
        intDiv(1000000, 1 + cityHash64(number) % 10000) AS reactions,
        reactions AS likes,
        intDiv(reactions, 9) AS comments,
        reactions * 7 AS views,
        views AS loops
    FROM numbers({videos:UInt32})
    """,
)
TOUCH = parse_query(
    "tests.touch",
    """-- Takes all of them into the pass.
    INSERT INTO touched (pass, what, key)
    SELECT {pass:UInt64}, 'video', video_key FROM video_stats
    """,
)
SELECTED_ROWS = parse_query(
    "tests.selected_rows",
    """-- How many rows this server has read so far.
    SELECT sum(value) AS rows FROM system.events WHERE event = 'SelectedRows'
    """,
)

# The facts of reactions to every 1,601st video, in tables that have more of other people's.
REACTIONS = [
    parse_query("tests.react", f"-- Reacts.\nINSERT INTO {sql}")
    for sql in (
        """events_by_author (pubkey, kind, created_at, id)
        SELECT if(number % 1601 = 0, {pubkey:String}, lpad(hex(number % 99), 64, '1')) AS pubkey, 7,
            {now:UInt32} - 9, leftPad(hex(number), 64, '0') FROM numbers({videos:UInt32})""",
        """engagement_targets (event_id, target, created_at)
        SELECT leftPad(hex(number), 64, '0') AS event_id,
            concat('34236:', leftPad(lower(hex(number % {authors:UInt32})), 64, '0'), ':d',
                toString(number)) AS target, {now:UInt32} - 9 AS created_at
        FROM numbers({videos:UInt32})""",
        """engagement (target, relation, event_id, token, pubkey, kind, created_at, expiration)
        SELECT target, 'reaction', event_id, '+', {pubkey:String}, 7, created_at, 4294967295
        FROM engagement_targets""",
    )
]


@pytest.fixture
def door(clickhouse: Clickhouse) -> Clickhouse:
    this = Projector(clickhouse).begin_pass()
    clickhouse.execute(FILL, this | {"now": NOW, "videos": VIDEOS, "authors": AUTHORS})
    clickhouse.execute(TOUCH, this)
    clickhouse.execute(SQL["project_listed_videos"], {"passes": [this["pass"]], "afresh": 0})
    clickhouse.command("OPTIMIZE TABLE listed_videos FINAL")
    return clickhouse


def page_query(sort: str, filters: Filters) -> Query:
    """What is asked for the first page."""
    return feed_source(sort, filters).given(feed_conditions(sort, filters))


def values(query: Query, sort: str, filters: Filters) -> dict[str, Any]:
    page = {"now": NOW, "ranked_at": NOW, "row_limit": 20, "row_offset": 0}
    return declared(query, feed_values(sort, filters) | page)


def plan(door: Clickhouse, query: Query, params: dict[str, Any]) -> str:
    explained = parse_query(query.name, f"-- Explained.\nEXPLAIN indexes = 1 {query.text}")
    return "\n".join(row["explain"] for row in door.select(explained, params))


def granules(plan: str, table: str) -> list[int]:
    """How many granules of a table each read of it is left with by its primary key."""
    reads = re.split(r"ReadFromMergeTree \(\w+\.", plan)[1:]
    return [
        int(match[1])
        for read in reads
        if read.startswith(table) and (match := re.search(r"Granules: (\d+)/\d+", read))
    ]


def rows_read(door: Clickhouse, query: Query, params: dict[str, Any]) -> int:
    before = door.select(SELECTED_ROWS, {})[0]["rows"]
    found = door.select(query, params)
    after = door.select(SELECTED_ROWS, {})[0]["rows"]
    assert found
    return int(after - before)


def test_lists_are_read_in_their_order_until_the_page_is_full(door):
    for sort in ("recent", "popular", "likes", "comments", "loops", "trending"):
        query = page_query(sort, Filters())
        params = values(query, sort, Filters())

        assert re.search(r"Read type: InOrder\s+│?\s*FINAL: 1", plan(door, query, params)), sort
        # Of all 8,000 videos those in the first tiers, and what reading in blocks adds.
        assert rows_read(door, query, params) <= 2_000, sort


def test_what_is_one_authors_or_one_hashtags_is_one_range(door):
    author = f"{7:064x}"
    for sort in ("recent", "popular"):
        for filters in ({"author": author}, {"hashtags": ["tag7"]}):
            query = page_query(sort, Filters(**filters))
            asked = values(query, sort, Filters(**filters))
            found = granules(plan(door, query, asked), "listed_videos")

            most = VIDEOS // (AUTHORS if "author" in filters else 20) // GRANULE + 2
            assert most >= max(found), (sort, filters)
    by_author = Filters(author=author)
    count = queries.COUNT_VIDEOS.given(queries.conditions(by_author, queries.COUNT_VIDEOS))
    counted = granules(plan(door, count, values(count, "recent", by_author)), "listed_videos")
    assert 2 >= max(counted)


def test_a_span_of_time_is_one_range(door):
    of_a_week = Filters(since=NOW - 7 * 86_400)
    query = page_query("popular", of_a_week)

    found = granules(plan(door, query, values(query, "popular", of_a_week)), "listed_videos")

    assert 7 * 24 // GRANULE + 2 >= max(found)


def test_each_condition_can_be_planned_alone_and_with_all_others(door):
    zeros = {"String": "", "Identifier": "likes", "Bool": True}
    for source in {*queries.FEEDS.values(), queries.FEED_SORTED, queries.COUNT_VIDEOS}:
        # Two ways to find the list, and two orders.
        one_of_two = {"by_trend", "by_number"} & source.names
        always = {"by_number", "hashtags"} & source.names
        combined = source.names - one_of_two | always
        for names in (*({name} | always for name in source.names - one_of_two), combined):
            query = source.given(names)
            params = {
                name: [] if declared.startswith("Array") else zeros.get(declared, 1)
                for name, declared in query.params.items()
            }
            assert plan(door, query, params)


def test_a_name_leads_to_its_video_by_keys(door):
    [known] = door.select(parse_query("t.t", "-- One.\nSELECT id FROM video_stats LIMIT 1"), {})
    for reference in (known["id"], "d77", "no such d tag"):
        shown = plan(
            door,
            load_query(queries.__file__, "find_videos"),
            {"now": NOW, "references": [reference]},
        )

        assert "video_stats" not in shown
        assert 1 >= max([*granules(shown, "listed_videos"), *granules(shown, "video_aliases"), 0])


def test_the_rows_of_a_page_are_one_granule_each(door):
    keys = [f"34236:{n % AUTHORS:064x}:d{n}" for n in range(0, 8_000, 2_000)]

    authors = [AUTHOR]

    shown = plan(
        door,
        queries.VIDEO_ROWS,
        {"now": NOW, "keys": keys, "authors": authors, "score": "trusted_score"},
    )

    assert len(keys) >= max(granules(shown, "video_stats"))


def test_the_videos_of_names_are_one_granule_each(door):
    names = [f"34236:{7:064x}:d7", "d77", "no such d tag"]

    shown = plan(
        door, queries.NAMED_VIDEOS, {"now": NOW, "references": names, "score": "trusted_score"}
    )

    assert [2] >= granules(shown, "video_stats")


def test_a_video_by_its_id_is_one_granule(door):
    [known] = door.select(parse_query("t.t", "-- One.\nSELECT id FROM video_stats LIMIT 1"), {})
    door.command(
        "INSERT INTO video_aliases (id, video_key, pubkey, created_at)"
        " SELECT id, video_key, pubkey, created_at FROM video_stats"
    )
    for id, most in ((known["id"], 1), ("ab" * 32, 0)):
        shown = plan(door, queries.VIDEO_BY_ID, {"now": NOW, "id": id, "score": "trusted_score"})

        assert [most] >= granules(shown, "video_stats"), id
        assert "listed_videos" not in shown


def test_a_person_costs_the_granules_of_the_own_videos(door):
    # Twenty videos with keys that lie together, and their list.
    assert rows_read(door, USER, {"now": NOW, "pubkey": AUTHOR}) <= 4 * 64 + 2 * GRANULE


def test_a_name_of_nothing_reads_no_row_of_a_video(door):
    names = {"now": NOW, "references": ["no such d tag"], "score": "trusted_score"}

    shown = plan(door, queries.NAMED_VIDEOS, names)

    assert not any(granules(shown, "video_stats"))


AFTER = ("place", "list_tier", "engagement_score", "published_at", "id")


def recommended(**changes: Any) -> dict[str, Any]:
    asked = {
        "now": NOW,
        "ranked_at": NOW,
        "pubkey": "ab" * 32,
        "interesting_hashtags": ["tag7"],
        "hashtag_weights": [3],
        "interesting_authors": [AUTHOR],
        "author_weights": [1],
        "known_videos": [],
        "hashtags": [],
        "sensitive": [False, True],
        "row_limit": 20,
        "row_offset": 0,
    }
    return asked | changes


def test_recommendations_read_what_is_interesting_and_the_best_of_the_rest(door):
    query = recommendations.RECOMMENDED.given(set())
    shown = plan(door, query, recommended())

    assert "video_stats" not in shown
    assert re.search(r"Read type: InOrder\s+│?\s*FINAL: 1", shown)
    # 36 videos of the hashtag and two of the author in 30 days, twice; and the first tiers.
    assert rows_read(door, query, recommended()) <= 3_000
    # The last of the first fifty is of no interest: those come after all that are.
    last = door.select(query, recommended(row_limit=50))[-1]
    following = recommended(**{f"after_{name}": last[name] for name in AFTER})
    assert last["place"] == 0
    assert rows_read(door, recommendations.RECOMMENDED.given({"after"}), following) <= 3_000
    of_one_hashtag = recommended(hashtags=["tag3"])
    assert rows_read(door, query, of_one_hashtag) <= 3_000


def test_interests_are_read_by_the_keys_of_the_acts(door):
    by_carol = "c" * 64
    everything = {"pubkey": by_carol, "now": NOW, "videos": VIDEOS, "authors": AUTHORS}
    for query in REACTIONS:
        door.execute(query, {name: everything[name] for name in query.params})
    asked = {"now": NOW, "ranked_at": NOW, "pubkey": by_carol, "act_limit": 500}

    shown = plan(door, recommendations.INTERESTS, asked)
    # Five videos, of which the hashtags and the authors are asked.
    assert 5 >= max(granules(shown, "video_stats"))
    assert 15 == len(door.select(recommendations.INTERESTS, asked))
