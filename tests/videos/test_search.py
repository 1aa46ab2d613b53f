"""`GET /api/search`: videos by hashtag, or by words."""

from __future__ import annotations

import pytest

from tests.builders import a_reaction, a_video, alice, bob
from tests.published import publish


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
    publish(
        a_video(alice, "a", title=tips),
        a_video(alice, "b", title=cafe),
        a_video(alice, "c", title=film, content="hidden words", tags=[("t", "Kitten")]),
    )
    expected = {
        "c++": [tips],
        "CATS tips": [tips],
        "it's": [cafe],
        "ZÜRICH": [cafe],
        "Zu\u0308rich": [cafe],
        "猫": [film],
        "hidden": [film],
        "#kitten": [film],
        "sort:hot tips": [tips],
        "tips zürich": [],
        "100%": [],
        "🐈": [],
    }

    assert expected == {q: found(api, q=q) for q in expected}


def test_a_word_in_the_title_counts_more_than_engagement(api):
    described = a_video(alice, "a", title="Described", content="cats")
    publish(described, a_video(alice, "b", title="Cats"), a_reaction(described, bob))

    assert ["Cats", "Described"] == found(api, q="cats")


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
