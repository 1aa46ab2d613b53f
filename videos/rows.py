"""The row of a video as apps read it, out of what the read model has packed of it."""

from __future__ import annotations

from typing import Any

import orjson

from funnel.nostr import is_addressable

Row = dict[str, Any]


def public_row(found: Row) -> Row:
    """The video row of docs/api.md, of a row of video_rows.sql.

    `shown` is JSON of the columns of `video_stats`: whole numbers are written as such, and floats
    that are whole too, which clients that know two types of numbers would not take.
    """
    shown = orjson.loads(found["shown"])
    has_address = is_addressable(shown["kind"])
    return {
        "id": found["id"],
        "pubkey": found["pubkey"],
        "created_at": shown["created_at"],
        "published_at": shown["published_at"],
        "kind": shown["kind"],
        # Web clients know a video by its d tag alone; where the kind has none, the id does as well.
        "d_tag": shown["d_tag"] if has_address else found["id"],
        "address": found["video_key"] if has_address else "",
        "title": shown["title"],
        "content": shown["content"],
        "thumbnail": shown["thumbnail"],
        "video_url": shown["video_url"],
        "fallback_urls": shown["fallback_urls"],
        "dimensions": shown["dimensions"],
        "dim": shown["dimensions"],
        "blurhash": shown["blurhash"],
        "sha256": shown["sha256"],
        "duration": float(shown["duration"]) if shown["duration"] > 0 else None,
        "hashtags": shown["hashtags"],
        "sensitive": shown["sensitive"],
        "content_warning": shown["content_warning"],
        "author_name": found["author_name"],
        "author_avatar": found["author_avatar"],
        "reactions": shown["reactions"],
        "likes": shown["likes"],
        "dislikes": shown["dislikes"],
        "emojis": {emoji["emoji"]: emoji["people"] for emoji in shown["emojis"]},
        "comments": shown["comments"],
        "reposts": shown["reposts"],
        "quotes": shown["quotes"],
        "bookmarks": shown["bookmarks"],
        "zaps": shown["zaps"],
        "zap_msat": shown["zap_msat"],
        "zaps_unverified": shown["zaps_unverified"],
        "zap_msat_unverified": shown["zap_msat_unverified"],
        "views": shown["views"],
        "unique_viewers": shown["unique_viewers"],
        "loops": float(shown["loops"]),
        "embedded_loops": shown["embedded_loops"],
        "embedded_likes": shown["embedded_likes"],
        "embedded_comments": shown["embedded_comments"],
        "embedded_reposts": shown["embedded_reposts"],
        "engagement_score": shown["engagement_score"],
        "trending_score": found["trending_score"],
        "platform": shown["platform"],
        "classic": shown["platform"] == "vine",
        "tags": shown["tags"],
    }
