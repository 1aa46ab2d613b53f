"""`GET /api/search`: videos by hashtag, or by words."""

from __future__ import annotations

import re

import pytest

from funnel.clickhouse import connections
from funnel.nostr import VIDEO_KINDS
from funnel.sql import parse_query
from tests.builders import (
    a_deletion,
    a_profile,
    a_reaction,
    a_repost,
    a_video,
    alice,
    bob,
    carol,
)
from tests.published import NOW, publish
from videos import queries
from videos.search import marked

TEXTS = parse_query("tests.texts", "-- All.\nSELECT texts FROM video_texts ORDER BY video_key")


def found(api, **parameters):
    response = api.get("/api/search", parameters)
    assert 200 == response.status_code, response.content
    return [row["title"] for row in response.json()]


def test_a_hashtag_is_found_however_it_is_written(api):
    publish(
        a_video(alice, "a", title="one", tags=[("t", "Cats"), ("t", "#cats")]),
        a_video(alice, "b", title="other", tags=[("t", "dogs")]),
    )

    for tag in ("cats", "CATS", "#cats", " #Cats "):
        assert ["one"] == found(api, tag=tag)
    assert [] == found(api, tag="#")


def test_a_hashtag_that_an_edit_removed_is_gone(api):
    publish(
        a_video(alice, "a", title="old", tags=[("t", "cats")], at=0),
        a_video(alice, "a", title="new", tags=[("t", "dogs")], at=10),
    )

    assert [] == found(api, tag="cats")
    assert ["new"] == found(api, tag="dogs")


def test_words_are_found_however_they_are_written(api):
    tips, cafe, film = "C++ tips for cats", "It's Zürich café", "猫の動画"
    morning, ice, sale = "\u202bصباح الخير\u202c", "Ελλάδα, ﬁne Straße", "50% off: $5 a-b"
    publish(
        a_video(alice, "a", title=tips),
        a_video(alice, "b", title=cafe, tags=[("alt", "A snowy street")]),
        a_video(alice, "c", title=film, content="hidden words", tags=[("t", "Kitten")]),
        a_video(alice, "d", title=morning, content="🐈\u200d⬛ 👋🏽 ไทยแลนด์"),
        a_video(alice, "e", title=ice, content="iPhoneで撮影"),
        a_video(alice, "f", title=sale),
    )
    expected = {
        "c++": [tips],
        "C++ t": [tips],
        "c#": [],
        "CATS tips": [tips],
        "it's": [cafe],
        "it’s": [cafe],
        "ZÜRICH": [cafe],
        "Zu\u0308rich": [cafe],
        "zurich cafe": [cafe],
        "snowy": [cafe],
        "猫": [film],
        "動画": [film],
        "の動画 猫": [film],
        "画動": [],
        "hidden": [film],
        "#kitten": [film],
        "صباح": [morning],
        "الخير": [morning],
        "\u200fالخير": [morning],
        "🐈": [morning],
        "🐈\u200d⬛": [morning],
        "👋": [morning],
        "แลนด์": [morning],
        "ελλαδα": [ice],
        "FINE": [ice],
        "STRASSE": [ice],
        "撮影 iphone": [ice],
        "50%": [sale],
        "$5": [sale],
        "a-b": [sale],
        '"off"': [sale],
        "b-a": [],
        "sort:hot tips": [tips],
        "tips - cats": [tips],
        "tips zürich": [],
        "100%": [],
        "🐶": [],
        "' OR 1=1 --": [],
        "%": [sale],
    }

    assert expected == {q: found(api, q=q) for q in expected}


def test_a_word_is_found_by_its_beginning_and_not_by_its_middle(api):
    publish(a_video(alice, "a", title="Bitcoin meetup"))

    for q in ("b", "bi", "bitcoi", "bitcoin", "MEET bit", "x" * 64 + "y"):
        assert (["Bitcoin meetup"] if "x" not in q else []) == found(api, q=q), q
    for q in ("itcoin", "coin", "bitcoins", "bitcoin dinner"):
        assert [] == found(api, q=q), q


def test_ten_kilobytes_are_searched_by_their_beginning(api):
    publish(a_video(alice, "a", title="cat " * 100), a_video(alice, "b", title="o" * 5_000))

    assert ["cat " * 100] == found(api, q="cat " * 2_500)
    assert ["o" * 5_000] == found(api, q="o" * 10_000)


def test_videos_are_found_by_the_names_of_their_author_as_they_are_now(api):
    publish(
        a_video(alice, "a", title="mine"),
        a_video(bob, "b", title="his"),
        a_profile(alice, name="ally", display_name="Alice Müller", at=1),
    )
    assert ["mine"] == found(api, q="ally")
    assert ["mine"] == found(api, q="@muller mine")

    publish(a_profile(alice, name="al", display_name="", at=2))

    assert [] == found(api, q="muller")
    assert ["mine"] == found(api, q="al")


def test_only_the_current_live_version_is_looked_into(api):
    gone = a_video(bob, "gone", title="cats and mice", at=1)
    publish(a_video(alice, "a", title="dogs", at=10), a_video(alice, "a", title="cats", at=0), gone)
    publish(a_video(alice, "a", title="birds", at=20), a_deletion(gone, by=bob, at=5))

    assert [[], [], ["birds"]] == [found(api, q=q) for q in ("cats", "dogs", "birds")]


def test_the_title_counts_before_the_rest_and_whole_words_before_beginnings(api):
    described = a_video(alice, "a", title="Described", content="cat")
    begun = a_video(alice, "b", title="Begun", content="category")
    titled = a_video(alice, "c", title="Category")
    publish(described, begun, titled, a_video(alice, "d", title="A cat"))
    publish(*(a_repost(begun, by) for by in (alice, bob, carol)), a_reaction(titled, bob))

    assert ["A cat", "Category", "Described", "Begun"] == found(api, q="cat")
    assert ["Begun", "Category"] == found(api, q="category", sort="popular")
    assert "Begun" == found(api, q="cat", sort="engagement")[0]


def test_equally_relevant_videos_come_by_engagement(api):
    liked = a_video(alice, "a", title="cats")
    publish(a_video(alice, "b", title="cats!", at=5), liked, a_reaction(liked, bob))

    assert ["cats", "cats!"] == found(api, q="cats")


def test_extensions_alone_rule_nothing_out(api):
    liked = a_video(alice, "a", title="liked")
    publish(liked, a_video(alice, "b", title="new", at=5), a_reaction(liked, bob))

    assert ["liked", "new"] == found(api, q="sort:hot language:en")
    assert ["new", "liked"] == found(api, q="sort:hot", sort="recent")


def test_what_nip_19_encodes_is_not_looked_into(api):
    npub = "npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"
    publish(a_video(alice, "a", title="hello", content=f"by nostr:{npub} and friends"))

    assert [["hello"], [], []] == [found(api, q=q) for q in ("friends", "nostr", npub)]


def test_the_limit_is_kept_and_the_answer_may_be_cached(api):
    publish(*(a_video(alice, f"v{number}", title="cats") for number in range(3)))

    response = api.get("/api/search?q=cats&limit=2")

    assert 2 == len(response.json())
    assert response["Cache-Control"].startswith("public, max-age=30, ")


@pytest.mark.parametrize("query", ["", "q=", "tag=&q=", "q=%20", "tag=cats&q=dogs"])
def test_exactly_one_of_tag_and_q_is_asked_for(api, query):
    response = api.get(f"/api/search?{query}")

    assert 400 == response.status_code
    assert {"error": "Search by tag or by q: exactly one of them."} == response.json()


# --- How it is found -----------------------------------------------------------------------------


def explained(words):
    """The plan of the search for some words, one line for each step and index."""
    query = parse_query("tests.explain", "-- A plan.\nEXPLAIN indexes = 1 " + uncommented())
    values = queries.search_values(
        now=NOW,
        words=words,
        filters=queries.Filters(kinds=VIDEO_KINDS),
        sort="relevance",
        row_limit=50,
    )
    rows = connections["reader"].select(query, queries.declared(query, values))
    return [next(iter(row.values())) for row in rows]


def uncommented():
    return re.sub(r"^\s*--.*\n", "", queries.SEARCH_TEXT.given(set()).text, flags=re.MULTILINE)


def test_the_text_index_finds_the_words_and_leaves_the_rest_unread(empty_clickhouse):
    empty_clickhouse.command(
        "INSERT INTO video_texts (video_key, version, written)"
        " SELECT leftPad(toString(number), 8, '0'), 1,"
        " concat('Video ', toString(number), '\\nof cats', if(number = 9999, ' and 猫', ''))"
        " FROM numbers(20000)"
    )

    for words in (["猫"], ["and"], ["cats", "AN"]):
        plan = "\n".join(explained(words))
        assert "__text_index_texts_index_hasAllTokens" in plan, plan
        assert "Condition: (mode: All; tokens:" in plan.partition("Name: texts_index")[2], plan
        # The one row is in one of 78 granules; the rest of the plan asks for its key alone.
        assert "Granules: 1/78" in plan, plan
        assert "Condition: (video_key in 1-element set)" in plan, plan


def test_words_are_marked_for_the_search_as_they_are_in_the_table(empty_clickhouse):
    written = [
        *("Zürich ﬁne ẞ İstanbul", "it’s c++ 100% ½ ① $5", "猫の動画 がガ ラーメン 々", "ไทยแลนด์"),
        *("🐈\u200d⬛ 👋🏽 ❤️ 1️⃣", "مَرْحَبًا \u202eبالعالم", "हिन्दी में", "고양이가", "й Ё ΰ Σίσυφος"),
        *("a\u00a0b\tc", "x" * 100, "", "SS BB E _under_score_"),
    ]

    empty_clickhouse.command(
        "INSERT INTO video_texts (video_key, written) SELECT * FROM values('k String, w String', "
        + ", ".join(f"('{n:02}', unhex('{text.encode().hex()}'))" for n, text in enumerate(written))
        + ")"
    )

    rows = connections["reader"].select(TEXTS, {})
    assert [marked(text) for text in written] == [row["texts"] for row in rows]
