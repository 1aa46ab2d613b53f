"""What a person types becomes the words that are looked for."""

from __future__ import annotations

import pytest

from videos.search import MAX_WORDS, search_words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Cats", ["Cats"]),
        ("  two\twords\n", ["two", "words"]),
        ("cat cat cat", ["cat"]),
        ("c++", ["c++"]),
        ("it's", ["it's"]),
        ("#cats", ["cats"]),
        ("“Cats”, (dogs) and birds!", ["Cats", "dogs", "and", "birds"]),
        ("猫の動画", ["猫の動画"]),
        ("🐈 cat", ["🐈", "cat"]),
        ("!!!", ["!!!"]),
        ("16:9 video", ["16:9", "video"]),
        ("sort:hot cats NSFW:false", ["cats"]),
        ("sort:hot", []),
        ("", []),
    ],
)
def test_words_are_parted_and_lose_what_stands_around_them(typed, words):
    assert words == search_words(typed)


def test_a_pasted_page_is_searched_by_its_beginning():
    words = search_words(" ".join(f"word{number}" for number in range(2000)))

    assert [f"word{number}" for number in range(MAX_WORDS)] == words
