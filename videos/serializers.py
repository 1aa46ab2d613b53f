"""What crosses the border of the video endpoints: parameters, validated; rows, described."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from funnel.nostr import VIDEO_KINDS, Kind
from funnel.params import EventReferenceField, Params, PubkeyField, RowLimitField
from videos.search import search_words

SORTS = ("recent", "popular", "trending")

# Apps tell long videos from short ones; whether a kind is addressable is no matter to them.
KINDS_BY_NAME: dict[str, tuple[Kind, ...]] = {
    **{str(int(kind)): (kind,) for kind in VIDEO_KINDS},
    "normal": (Kind.VIDEO, Kind.ADDRESSABLE_VIDEO),
    "short": (Kind.SHORT_VIDEO, Kind.ADDRESSABLE_SHORT_VIDEO),
}


class VideoKindsField(serializers.Field[tuple[int, ...], str, str, Any]):
    """Kinds by number or name, separated by commas; its value is their numbers."""

    def to_internal_value(self, data: str) -> tuple[int, ...]:
        names = [name.strip() for name in data.split(",")]
        if not all(name in KINDS_BY_NAME for name in names):
            raise serializers.ValidationError(
                f"must be one of {', '.join(KINDS_BY_NAME)}, or several with commas between."
            )
        return tuple(sorted({int(kind) for name in names for kind in KINDS_BY_NAME[name]}))


class FeedParams(Params):
    sort = serializers.ChoiceField(
        choices=SORTS,
        default="trending",
        error_messages={"invalid_choice": f"must be one of {', '.join(SORTS)}."},
    )
    kind = VideoKindsField(default=VIDEO_KINDS)
    limit = RowLimitField()


class AuthorVideosParams(Params):
    pubkey = PubkeyField()
    limit = RowLimitField()


class VideoParams(Params):
    reference = EventReferenceField()


class SearchParams(Params):
    """Either a hashtag or words; an empty one counts as absent, as forms send them."""

    tag = serializers.CharField(default="", allow_blank=True)
    q = serializers.CharField(default="", allow_blank=True)
    limit = RowLimitField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["tag"]) == bool(attrs["q"]):
            raise serializers.ValidationError("Search by tag or by q: exactly one of them.")
        return attrs | {"words": search_words(attrs["q"])}


class Video(serializers.Serializer[Any]):
    """One row of a list, as apps read it; counts are of live events, by distinct people.

    `embedded_*` are what the author claims from an earlier platform; they are in no other number.
    """

    id = serializers.CharField(help_text="Id of the current version, 64 hex digits.")
    pubkey = serializers.CharField(help_text="The author, 64 hex digits.")
    created_at = serializers.IntegerField(help_text="Of the current version, Unix seconds.")
    published_at = serializers.IntegerField(
        help_text="When it was first published, Unix seconds; an edit leaves it."
    )
    kind = serializers.IntegerField(help_text="21, 22, 34235 or 34236 (NIP-71).")
    d_tag = serializers.CharField(allow_blank=True)
    address = serializers.CharField(
        allow_blank=True, help_text="kind:pubkey:d of kinds 34235 and 34236."
    )
    title = serializers.CharField(allow_blank=True)
    content = serializers.CharField(allow_blank=True, help_text="The description.")
    thumbnail = serializers.CharField(allow_blank=True)
    video_url = serializers.CharField(allow_blank=True)
    fallback_urls = serializers.ListField(child=serializers.CharField())
    dimensions = serializers.CharField(allow_blank=True, help_text="<width>x<height> in pixels.")
    dim = serializers.CharField(allow_blank=True, help_text="The same as dimensions.")
    blurhash = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_blank=True)
    duration = serializers.FloatField(allow_null=True, help_text="Seconds.")
    hashtags = serializers.ListField(child=serializers.CharField(), help_text="Folded, distinct.")
    sensitive = serializers.BooleanField(help_text="Marked by its author (NIP-36).")
    content_warning = serializers.CharField(allow_blank=True)
    author_name = serializers.CharField(allow_blank=True)
    author_avatar = serializers.CharField(allow_blank=True)
    reactions = serializers.IntegerField()
    likes = serializers.IntegerField()
    dislikes = serializers.IntegerField()
    emojis = serializers.DictField(
        child=serializers.IntegerField(), help_text="People by emoji (NIP-25, NIP-30)."
    )
    comments = serializers.IntegerField()
    reposts = serializers.IntegerField()
    quotes = serializers.IntegerField()
    bookmarks = serializers.IntegerField()
    zaps = serializers.IntegerField(help_text="Receipts of trusted payment servers (NIP-57).")
    zap_msat = serializers.IntegerField()
    zaps_unverified = serializers.IntegerField()
    zap_msat_unverified = serializers.IntegerField()
    views = serializers.IntegerField()
    unique_viewers = serializers.IntegerField()
    loops = serializers.FloatField()
    embedded_loops = serializers.IntegerField(allow_null=True)
    embedded_likes = serializers.IntegerField()
    embedded_comments = serializers.IntegerField()
    embedded_reposts = serializers.IntegerField()
    engagement_score = serializers.IntegerField(
        help_text="(reactions - dislikes) + 2 * comments + 3 * reposts."
    )
    trending_score = serializers.FloatField(help_text="The engagement score, decayed by age.")
    platform = serializers.CharField(allow_blank=True)
    classic = serializers.BooleanField(help_text="Imported from an earlier platform.")
    tags = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class VideoStats(Video):
    """The row of one video."""

    event_id = serializers.CharField(help_text="The same as id.")
