"""How a typed search becomes the words that the search query looks for."""

from __future__ import annotations

import re
import unicodedata

# NIP-50: words of the form key:value are extensions, and those that are not supported are ignored.
EXTENSION = re.compile(r"(?:domain|include|language|nsfw|sentiment|sort):\S*", re.IGNORECASE)

# What writing puts around a word. Not `+` and `#`: c++ and c# are words.
AROUND_WORDS = ".,;:!?…\"'“”‘’„«»()[]{}<>"
# And before one: a hashtag or a name.
BEFORE_WORDS = AROUND_WORDS + "#@"

# A pasted page is searched by its beginning: each further word costs time and narrows nothing.
MAX_WORDS = 16
# So is a word, which is found by how it begins.
MAX_WORD_CHARACTERS = 64

APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u00b4`]")
# Accents and variation selectors; characters of category Cf are left out as well.
LEFT_OUT = re.compile("[\u0300-\u036f\ufe00-\ufe0f]")
# How the names of letters begin that stand for a word, or a part of one, without a space beside.
SCRIPTS_WITHOUT_SPACES = (
    *("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "BOPOMOFO"),
    *("THAI", "LAO", "KHMER", "MYANMAR"),
)


def search_words(text: str) -> list[str]:
    """The distinct words of `text` as typed, at most MAX_WORDS.

    Punctuation alone is searched for where there is nothing else. None is left of a text that is
    empty or all extensions, and no word rules nothing out.
    """
    typed = [word for word in text.split() if not EXTENSION.fullmatch(word)]
    stripped = [word.rstrip(AROUND_WORDS).lstrip(BEFORE_WORDS) for word in typed]
    words = [word for word in stripped if any(map(tells_something, word))] or typed
    return list(dict.fromkeys(word[:MAX_WORD_CHARACTERS] for word in words))[:MAX_WORDS]


def tells_something(character: str) -> bool:
    """Whether it is a letter, mark, digit, or a symbol such as an emoji; `+` and `-` are none."""
    return unicodedata.category(character)[0] in "LMN" or unicodedata.category(character) == "So"


def marked(text: str) -> str:
    """The text as the column `texts` of video_texts has it, whose migration explains the marks.

    Done here because the engine takes as long for its regular expressions as for a search.
    """
    text = unicodedata.normalize("NFKC", APOSTROPHES.sub("'", text)).casefold()
    text = LEFT_OUT.sub("", unicodedata.normalize("NFD", text))
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    parts: list[str] = []
    in_word = False
    for character in unicodedata.normalize("NFKC", text):
        of_word = is_of_a_word(character)
        if of_word != in_word:
            parts.append("BB" if of_word else "E")
            in_word = of_word
        spaced = of_word or character.isspace()
        parts.append(character if spaced else f"S{character}S")
    return "".join([*parts, "E" * in_word]).replace("SS", "S")


def is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" and not unicodedata.name(
        character, ""
    ).startswith(SCRIPTS_WITHOUT_SPACES)
