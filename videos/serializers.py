"""What crosses the border of the video endpoints: parameters, validated; rows, described."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from funnel.nostr import LISTS_OF_VIDEOS, MAX_CREATED_AT, VIDEO_KINDS, Kind
from funnel.paging import ROWS_IN_A_SECOND, write_before
from funnel.params import (
    MAX_ROWS,
    TRUST_BY_WORD,
    CursorField,
    EventReferenceField,
    Params,
    PubkeyField,
    RowLimitField,
    RowOffsetField,
    TextField,
    WordField,
)
from videos.search import search_words

SORTS = (
    "recent",
    "published",
    "trending",
    "popular",
    "engagement",
    "loops",
    "watching",
    "likes",
    "comments",
)
SEARCH_SORTS = (
    "relevance",
    "recent",
    "published",
    "trending",
    "popular",
    "engagement",
    "loops",
)
# `today` and `day`, `all` and `alltime` are different clients' words for the same.
PERIOD_SECONDS = {
    "now": 6 * 3_600,
    "today": 86_400,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
    "all": 0,
    "alltime": 0,
}
SENSITIVE_BY_WORD = {
    "show": (False, True),
    "true": (False, True),
    "hide": (False,),
    "false": (False,),
}
# Seconds of each, and by how many its beginnings are shifted from those of 1970, a Thursday.
SPANS = {"hour": (3_600, 0), "day": (86_400, 0), "week": (7 * 86_400, 3 * 86_400)}
MAX_LIKERS = 500

# What a client asks of many videos at once, by the id that it asked with.
BULK_STATS = (
    "views",
    "unique_viewers",
    "reactions",
    "likes",
    "comments",
    "reposts",
    "loops",
    "embedded_loops",
    "engagement_score",
    "trending_score",
)
VIDEO_STATS = (
    *BULK_STATS,
    "embedded_likes",
    "embedded_comments",
    "embedded_reposts",
    "author_name",
    "author_avatar",
)

# Apps tell long videos from short ones; whether a kind is addressable is no matter to them.
KINDS_BY_NAME: dict[str, tuple[Kind, ...]] = {
    **{str(int(kind)): (kind,) for kind in VIDEO_KINDS},
    "normal": (Kind.VIDEO, Kind.ADDRESSABLE_VIDEO),
    "short": (Kind.SHORT_VIDEO, Kind.ADDRESSABLE_SHORT_VIDEO),
}


class VideoKindsField(serializers.Field[tuple[int, ...], str, str, Any]):
    """Kinds by number or name, separated by commas; its value is their numbers."""

    described_as: ClassVar = {
        "type": "string",
        "examples": ["34236", "short", "21,22"],
        "description": (
            f"One of {', '.join(KINDS_BY_NAME)}, or several with commas between; all by default."
        ),
    }

    def to_internal_value(self, data: str) -> tuple[int, ...]:
        names = [name.strip() for name in data.split(",")]
        if not all(name in KINDS_BY_NAME for name in names):
            raise serializers.ValidationError(
                f"must be one of {', '.join(KINDS_BY_NAME)}, or several with commas between."
            )
        return tuple(sorted({int(kind) for name in names for kind in KINDS_BY_NAME[name]}))


class SortField(serializers.ChoiceField):
    """In which order a list comes."""

    described_as: dict[str, Any]

    def __init__(self, sorts: tuple[str, ...], default: str) -> None:
        super().__init__(
            choices=sorts,
            default=default,
            error_messages={"invalid_choice": f"must be one of {', '.join(sorts)}."},
        )
        self.described_as = {"type": "string", "enum": list(sorts), "default": default}


class SecondsField(serializers.IntegerField):
    """A Unix time; as late as a date can be by default."""

    def __init__(self, *, maximum: int = MAX_CREATED_AT) -> None:
        wrong = "must be a Unix time in whole seconds."
        super().__init__(
            default=MAX_CREATED_AT,
            min_value=0,
            max_value=maximum,
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value", "max_string_length"), wrong
            ),
        )
        self.described_as = {"type": "integer", "minimum": 0, "maximum": maximum}
        self.help_text = "A Unix time: published then or earlier."


class ListParams(Params):
    """What every list of videos can be asked: which videos, and which page of them."""

    kind = VideoKindsField(default=VIDEO_KINDS)
    tag = TextField("A hashtag, with or without #, in any case.")
    t = TextField("The same as tag.")
    category = TextField("The same: a category is a hashtag here.")
    platform = TextField("Videos with this platform.")
    exclude_platform = TextField("Videos with any other platform.")
    classic = serializers.BooleanField(
        default=None,
        allow_null=True,
        error_messages={"invalid": "must be true or false."},
        help_text="true: imported from vine; false: all others.",
    )
    nsfw = WordField(SENSITIVE_BY_WORD, default="show")
    period = WordField(PERIOD_SECONDS, default="all")
    trust = WordField(TRUST_BY_WORD, default="on")
    before = SecondsField()
    offset = RowOffsetField()
    limit = RowLimitField()


class FeedParams(ListParams):
    sort = SortField(SORTS, default="trending")
    author = PubkeyField(default="")


class CursorFeedParams(FeedParams):
    cursor = CursorField()


class AuthorVideosParams(ListParams):
    pubkey = PubkeyField()
    sort = SortField(SORTS, default="recent")


class SecondsOrCursorField(SecondsField):
    """A time, or a cursor in its place: an app gives every `next_cursor` back as `before`."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Before the bounds of a number are looked at.
        return data if isinstance(data, str) and ":" in data else super().run_validation(data)


class FollowingFeedParams(AuthorVideosParams):
    # Wider than a time: where a page ends within a second, the next `before` says after how many.
    before = SecondsOrCursorField(maximum=write_before(MAX_CREATED_AT, ROWS_IN_A_SECOND - 1))
    cursor = CursorField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Takes a cursor for one, by whichever name it comes."""
        if isinstance(attrs["before"], str):
            return attrs | {"cursor": attrs["before"], "before": MAX_CREATED_AT}
        return attrs


class VideoParams(Params):
    reference = EventReferenceField()


class LikersParams(VideoParams):
    a = EventReferenceField(required=False)
    cursor = CursorField()
    limit = RowLimitField(default=MAX_LIKERS, maximum=MAX_LIKERS)


class CommentsParams(VideoParams):
    sort = SortField(("newest", "oldest"), default="newest")
    cursor = CursorField()
    offset = RowOffsetField()
    limit = RowLimitField()


class FeaturedTabParams(Params):
    tab = TextField("The id of the tab.")
    cursor = CursorField()
    limit = RowLimitField()


class TimeseriesParams(VideoParams):
    interval = WordField(SPANS, default="day")
    limit = RowLimitField(default=30)


class BulkParams(serializers.Serializer[Any]):
    """The body of a bulk request: names of videos, of every form that a path may have."""

    event_ids = serializers.ListField(child=EventReferenceField())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Adds `references`: what each name that was sent stands for, in their order."""
        if len(attrs["event_ids"]) > MAX_ROWS:
            raise serializers.ValidationError(f"too many ids (max {MAX_ROWS})")
        names = [str(name) for name in self.initial_data["event_ids"]]
        return attrs | {"references": dict(zip(names, attrs["event_ids"], strict=True))}


class ListOfVideosParams(serializers.Serializer[Any]):
    """The event whose videos are meant: somebody's bookmarks, or a set of videos (NIP-51)."""

    kind = serializers.ChoiceField(
        choices=[int(kind) for kind in LISTS_OF_VIDEOS],
        error_messages={"invalid_choice": "must be 10003, 30003 or 30005."},
    )
    pubkey = PubkeyField()
    d_tag = TextField("Of a set; bookmarks have none.")


class BulkVideosParams(BulkParams):
    """Either names of videos or an event that lists them."""

    event_ids = serializers.ListField(child=EventReferenceField(), required=False)
    from_event = ListOfVideosParams(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                "Ask by event_ids or by from_event: exactly one of them."
            )
        return super().validate(attrs) if "event_ids" in attrs else attrs


class TextSearchParams(ListParams):
    q = TextField("What a person typed.")
    author = PubkeyField(default="")
    sort = SortField(SEARCH_SORTS, default="relevance")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | {"words": search_words(attrs["q"])}


class SearchParams(TextSearchParams):
    """Either a hashtag or words; an empty one counts as absent, as forms send them."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["tag"]) == bool(attrs["q"]):
            raise serializers.ValidationError("Search by tag or by q: exactly one of them.")
        return super().validate(attrs)


class CursorSearchParams(TextSearchParams):
    cursor = CursorField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["q"]:
            raise serializers.ValidationError({"q": "must not be empty."})
        return super().validate(attrs)


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
    d_tag = serializers.CharField(
        allow_blank=True, help_text="Of kinds 21 and 22, which have none, the same as id."
    )
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
    trending_score = serializers.FloatField(
        help_text="What trusted people did with it, decayed by age."
    )
    platform = serializers.CharField(allow_blank=True)
    classic = serializers.BooleanField(help_text="Imported from an earlier platform.")
    tags = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class VideoStats(Video):
    """The row of one video."""

    event_id = serializers.CharField(help_text="The same as id.")


class Event(serializers.Serializer[Any]):
    """A Nostr event as it was signed (NIP-01)."""

    id = serializers.CharField()
    pubkey = serializers.CharField()
    created_at = serializers.IntegerField()
    kind = serializers.IntegerField()
    tags = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    content = serializers.CharField(allow_blank=True)
    sig = serializers.CharField()


class Comment(Event):
    """A comment on a video; `reply_to_*` are null where it answers the video itself."""

    author_name = serializers.CharField(allow_blank=True)
    author_avatar = serializers.CharField(allow_blank=True)
    reply_to_event_id = serializers.CharField(allow_null=True)
    reply_to_pubkey = serializers.CharField(allow_null=True)


class Liker(serializers.Serializer[Any]):
    """Somebody who likes a video, and the reaction that says so."""

    pubkey = serializers.CharField()
    created_at = serializers.IntegerField()
    event_id = serializers.CharField()


# --- Whole answers -------------------------------------------------------------------------------


class Pagination(serializers.Serializer[Any]):
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page.")


class VideoPage(serializers.Serializer[Any]):
    data = Video(many=True)  # type: ignore[assignment]  # a field, which DRF takes out
    pagination = Pagination()


class CommentPage(serializers.Serializer[Any]):
    data = Comment(many=True)  # type: ignore[assignment]  # a field, which DRF takes out
    pagination = Pagination()


class LikerPage(serializers.Serializer[Any]):
    data = Liker(many=True)  # type: ignore[assignment]  # a field, which DRF takes out
    pagination = Pagination()


class FollowingPage(serializers.Serializer[Any]):
    videos = Video(many=True)
    next_cursor = serializers.CharField(
        allow_null=True, help_text="The next before, or a cursor; null on the last page."
    )
    has_more = serializers.BooleanField()


class PartOfVideo(serializers.Serializer[Any]):
    """Some fields of the video row."""

    names: ClassVar[tuple[str, ...]]

    def get_fields(self) -> dict[str, Any]:
        fields = Video().get_fields()
        return {name: fields[name] for name in self.names}


class BulkStats(PartOfVideo):
    names = BULK_STATS


class EventStats(PartOfVideo):
    names = VIDEO_STATS


class VideoViews(PartOfVideo):
    names = ("views", "unique_viewers")


class VideoEvent(serializers.Serializer[Any]):
    event = Event()
    stats = EventStats()


class SpanOfVideo(serializers.Serializer[Any]):
    start = serializers.IntegerField(help_text="Of the span, Unix seconds.")
    reactions = serializers.IntegerField()
    comments = serializers.IntegerField()
    reposts = serializers.IntegerField()
    views = serializers.IntegerField()


class FeaturedTabs(serializers.Serializer[Any]):
    poll_interval_seconds = serializers.IntegerField()
    featured_tabs = serializers.ListField(child=serializers.DictField())


class BulkVideos(serializers.Serializer[Any]):
    videos = Video(many=True)
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Those that name no live video."
    )
    source_event_id = serializers.CharField(
        allow_null=True, help_text="Of the list that from_event names; null without one."
    )


class BulkVideoStats(serializers.Serializer[Any]):
    stats = serializers.DictField(child=BulkStats(), help_text="By the name that was sent.")
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Those that name no live video."
    )


# Which of the two forms a client gets is decided by its Origin header.
FOLLOWING_FEED = PolymorphicProxySerializer(
    "FollowingFeed", [FollowingPage, Video(many=True)], resource_type_field_name=None, many=False
)
