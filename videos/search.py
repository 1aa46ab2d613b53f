"""How a typed search becomes the words that the search query looks for."""

from __future__ import annotations

import re

# NIP-50: words of the form key:value are extensions, and those that are not supported are ignored.
EXTENSION = re.compile(r"(?:domain|include|language|nsfw|sentiment|sort):\S*", re.IGNORECASE)

# What writing puts around a word; `#` because hashtags are held without it. Not `+`: c++ is a word.
AROUND_WORDS = ".,;:!?…\"'“”‘’„«»()[]{}<>#"

# A pasted page is searched by its beginning: each further word costs time and narrows nothing.
MAX_WORDS = 16


def search_words(text: str) -> list[str]:
    """The distinct words of `text` as typed, at most MAX_WORDS; the query folds them.

    A word that is punctuation throughout is searched for as it stands. None is left of a text that
    is empty or all extensions, and no word rules nothing out.
    """
    words = (word for word in text.split() if not EXTENSION.fullmatch(word))
    return list(dict.fromkeys(word.strip(AROUND_WORDS) or word for word in words))[:MAX_WORDS]
