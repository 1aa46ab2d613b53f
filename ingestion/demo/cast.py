"""Who appears in the demo and what they film and say; the same people in every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from coincurve import PrivateKey


@dataclass(frozen=True, slots=True)
class Topic:
    """What a video is about; the first hashtag is the topic's own."""

    hashtags: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the demo; `pubkey` is the key's x coordinate in lower-case hex (BIP-340)."""

    name: str
    key: PrivateKey
    pubkey: str


TOPICS = (
    Topic(
        ("cats", "pets"),
        ("The cat owns this box now", "猫と紙袋", "Six cats, one sunbeam", "She heard the fridge"),
    ),
    Topic(
        ("cooking", "food"),
        ("Flatbread without an oven", "Pão de queijo em 6 segundos", "Knife skills: onions"),
    ),
    Topic(
        ("skate", "sport"),
        ("First kickflip in the rain", "Ten stairs, no regrets", "Old board, new trucks"),
    ),
    Topic(
        ("music", "live"),
        ("One chord too many", "Soundcheck before the doors open", "Sing it backwards 🎶"),
    ),
    Topic(("dance",), ("Four counts of eight", "Kitchen floor, midnight", "Tango sans musique")),
    Topic(
        ("comedy", "fail"),
        ("When the meeting could have been a note", "He did not see the door", "Wait for it…"),
    ),
    Topic(
        ("bitcoin", "nostr"),
        ("Zapped a street musician", "Paying for coffee over radio", "Relays explained with cups"),
    ),
    Topic(
        ("nature", "slowlife"),
        ("Fog leaves the valley", "A fox looks back", "Nordlichter über dem See"),
    ),
    Topic(
        ("diy", "howto"),
        ("A lamp from a bicycle wheel", "Fix a zip with a pencil", "Dovetails by hand"),
    ),
    Topic(
        ("travel", "street"),
        ("Night train, window seat", "سوق الصباح", "Forty seconds of Lisbon"),
    ),
)

COMMENTS = (
    "How long did that take?",
    "Watched this ten times.",
    "Made my day 🙌",
    "Sound on!",
    "第二回を待っています",
    "Where was this filmed?",
    "The ending…",
    "Please make more of these.",
)
REPLIES = ("Same here.", "About an hour.", "Thank you!", "Part two tomorrow.", "In my street.")

# The first ones film; everybody watches.
NAMES = (
    *("Ada", "Bruno", "Chiara", "Dmitri", "Emeka", "Farah", "Goro", "Hedda", "Ines", "Jonas"),
    *("Kemal", "Lupe", "Malin", "Noor", "Oskar", "Paloma", "Quentin", "Rosa", "Sunil", "Tove"),
    *("Uma", "Vasco", "Wanda", "Xavi", "Yuki", "Zeno", "Amina", "Bela", "Cora", "Dario"),
    *("Elif", "Finn", "Gita", "Hugo", "Ida", "Jamal", "Keiko", "Leif", "Mina", "Nils"),
)
CREATORS = 16


def people() -> list[Person]:
    """Everybody, creators first. The keys are hashes of the names: always the same, no secret."""
    cast = []
    for name in NAMES:
        key = PrivateKey(hashlib.sha256(f"funnel demo: {name}".encode()).digest())
        cast.append(Person(name, key, key.public_key.format()[1:].hex()))
    return cast
