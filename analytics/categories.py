"""The categories that apps offer for browsing, each known by the hashtag of its name."""

from __future__ import annotations

# Lower case, as hashtags are folded. Nostr has no word for a category: a hashtag that many people
# use for a whole subject is as close as their own words come to one.
CATEGORIES = (
    "animals",
    "art",
    "beauty",
    "cars",
    "cats",
    "comedy",
    "cooking",
    "dance",
    "diy",
    "dogs",
    "education",
    "family",
    "fashion",
    "fitness",
    "food",
    "gaming",
    "health",
    "magic",
    "memes",
    "movies",
    "music",
    "nature",
    "news",
    "pets",
    "photography",
    "science",
    "sports",
    "street",
    "technology",
    "travel",
)
