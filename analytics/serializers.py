"""What crosses the border of the analytics endpoints: parameters, validated; rows, described."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from funnel.nostr import Kind
from funnel.params import (
    MAX_ROWS,
    TRUST_BY_WORD,
    Params,
    PubkeyField,
    RowLimitField,
    RowOffsetField,
    TextField,
    WordField,
)

A_DAY_SECONDS = 86_400

# How far back each period reaches; 0 is for ever.
PERIOD_SECONDS = {
    "alltime": 0,
    "day": A_DAY_SECONDS,
    "week": 7 * A_DAY_SECONDS,
    "month": 30 * A_DAY_SECONDS,
    "year": 365 * A_DAY_SECONDS,
}
SPANS = ("day", "week", "month")
# How many days each window has, today among them; 0 is for ever.
WINDOW_DAYS = {"7d": 7, "28d": 28, "30d": 30, "90d": 90, "all": 0}
TOP_POSTS_SORTS = ("views", "engagement")
PROFILE_ORDERS = ("relevance", "followers")

# Apps show whole follow lists, and one of them asks for all by naming no limit.
MAX_FOLLOWED = 5000
MAX_CREATORS = 500


def one_of(choices: tuple[str, ...], *, default: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=choices,
        default=default,
        error_messages={"invalid_choice": f"must be one of {', '.join(choices)}."},
    )


# --- Parameters ----------------------------------------------------------------------------------


class UserParams(Params):
    pubkey = PubkeyField()


class FollowersParams(Params):
    pubkey = PubkeyField()
    q = TextField("A text that the name holds, in any case.")
    limit = RowLimitField(maximum=500)
    offset = RowOffsetField()


class FollowingParams(FollowersParams):
    limit = RowLimitField(default=MAX_FOLLOWED, maximum=MAX_FOLLOWED)


class FollowsOfParams(Params):
    """The event whose people are meant: somebody's follow list."""

    kind = serializers.ChoiceField(
        choices=[int(Kind.FOLLOWS)], error_messages={"invalid_choice": "must be 3."}
    )
    pubkey = PubkeyField()


class BulkUsersParams(Params):
    """Either pubkeys or an event that lists them."""

    pubkeys = serializers.ListField(
        child=PubkeyField(),
        required=False,
        max_length=MAX_ROWS,
        error_messages={"max_length": f"at most {MAX_ROWS} at a time."},
    )
    from_event = FollowsOfParams(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                "Ask by pubkeys or by from_event: exactly one of them."
            )
        return attrs


class SearchProfilesParams(Params):
    q = TextField("A text that the name holds, in any case.")
    sort_by = one_of(PROFILE_ORDERS, default="relevance")
    has_videos = serializers.BooleanField(
        default=False,
        help_text="true: only people with live videos.",
        error_messages={"invalid": "must be true or false."},
    )
    limit = RowLimitField()
    offset = RowOffsetField()


class HashtagsParams(Params):
    q = TextField("A text that the name holds, in any case.")
    limit = RowLimitField()
    offset = RowOffsetField()

    def validate_q(self, value: str) -> str:
        return value.removeprefix("#").strip()


class TrendingHashtagsParams(HashtagsParams):
    """Of the rows that have a `trending_score`."""

    trust = WordField(TRUST_BY_WORD, default="on")


class CreatorsParams(Params):
    limit = RowLimitField()
    offset = RowOffsetField()


class LeaderboardParams(Params):
    period = one_of(tuple(PERIOD_SECONDS), default="alltime")
    limit = RowLimitField()
    offset = RowOffsetField()


class CreatorLeaderboardParams(LeaderboardParams):
    limit = RowLimitField(maximum=MAX_CREATORS)


class ActiveUsersParams(Params):
    interval = one_of(SPANS, default="day")
    limit = RowLimitField(default=30)


class CreatorAnalyticsParams(Params):
    pubkey = PubkeyField()
    window = one_of(tuple(WINDOW_DAYS), default="30d")
    top_posts_sort = one_of(TOP_POSTS_SORTS, default="views")


# --- Answers -------------------------------------------------------------------------------------


class Totals(serializers.Serializer[Any]):
    total_events = serializers.IntegerField(
        help_text="Distinct events in effect, superseded and deleted ones included."
    )
    total_videos = serializers.IntegerField(help_text="Live videos, each address once.")
    vine_videos = serializers.IntegerField(help_text="Those of them imported from Vine.")


class ActiveUsers(serializers.Serializer[Any]):
    start = serializers.IntegerField(help_text="Of the day, week or month, Unix seconds.")
    active_users = serializers.IntegerField(help_text="People who signed anything in it.")


class Profile(serializers.Serializer[Any]):
    """The current kind 0 (NIP-01, NIP-24); what it does not say is empty."""

    name = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_blank=True)
    banner = serializers.CharField(allow_blank=True)
    about = serializers.CharField(allow_blank=True)
    nip05 = serializers.CharField(allow_blank=True)
    lud16 = serializers.CharField(allow_blank=True)
    website = serializers.CharField(allow_blank=True)
    profile_updated = serializers.CharField(help_text="When it was signed, ISO 8601.")


class FollowCounts(serializers.Serializer[Any]):
    follower_count = serializers.IntegerField(help_text="People whose follow list holds it.")
    following_count = serializers.IntegerField(help_text="People whom its follow list holds.")


class Social(FollowCounts):
    pubkey = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"pubkey": fields.pop("pubkey"), **fields}


class OwnCounts(serializers.Serializer[Any]):
    video_count = serializers.IntegerField(help_text="Live videos.")
    reaction_count = serializers.IntegerField(help_text="Reactions that the person has signed.")


class OwnEngagement(serializers.Serializer[Any]):
    """What all live videos of one person got."""

    total_reactions = serializers.IntegerField()
    total_loops = serializers.FloatField()
    total_views = serializers.IntegerField()
    archived_loops = serializers.IntegerField(
        help_text="Claimed from an earlier platform, in no other number."
    )


class User(serializers.Serializer[Any]):
    pubkey = serializers.CharField()
    profile = Profile(allow_null=True, help_text="null without a current kind 0.")
    social = FollowCounts()
    stats = OwnCounts()
    engagement = OwnEngagement()
    has_vanish_request = serializers.BooleanField(help_text="Whether something was erased.")


class BulkUsers(serializers.Serializer[Any]):
    users = User(many=True, help_text="In the order of the request.")
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Those of whom nothing is stored."
    )


class Followers(serializers.Serializer[Any]):
    followers = serializers.ListField(child=serializers.CharField(), help_text="Pubkeys.")
    total = serializers.IntegerField(help_text="On all pages.")
    has_more = serializers.BooleanField()
    query = serializers.CharField(allow_null=True, help_text="The q of the request.")


class Following(serializers.Serializer[Any]):
    following = serializers.ListField(child=serializers.CharField(), help_text="Pubkeys.")
    total = serializers.IntegerField(help_text="On all pages.")
    has_more = serializers.BooleanField()
    query = serializers.CharField(allow_null=True, help_text="The q of the request.")


class FoundProfile(serializers.Serializer[Any]):
    pubkey = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    nip05 = serializers.CharField(allow_blank=True)
    about = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_blank=True)
    banner = serializers.CharField(allow_blank=True)
    follower_count = serializers.IntegerField()
    video_count = serializers.IntegerField(help_text="Live videos.")
    lud16 = serializers.CharField(allow_blank=True)
    website = serializers.CharField(allow_blank=True)
    created_at = serializers.IntegerField(help_text="Of the profile, Unix seconds.")
    event_id = serializers.CharField(help_text="Of the profile.")


class Hashtag(serializers.Serializer[Any]):
    """A hashtag with the numbers of the live videos that have it."""

    hashtag = serializers.CharField(help_text="Folded, without #.")
    video_count = serializers.IntegerField()
    unique_creators = serializers.IntegerField()
    total_loops = serializers.IntegerField(help_text="Whole playthroughs.")
    last_used = serializers.IntegerField(help_text="published_at of the newest, Unix seconds.")
    trending_score = serializers.FloatField()
    videos_24h = serializers.IntegerField()
    videos_7d = serializers.IntegerField()
    thumbnail = serializers.CharField(allow_blank=True)


class Category(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The hashtag.")
    video_count = serializers.IntegerField()


class Creator(serializers.Serializer[Any]):
    """A person with the sums over all live videos."""

    pubkey = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_blank=True)
    nip05 = serializers.CharField(allow_null=True)
    video_count = serializers.IntegerField()
    engagement_score = serializers.IntegerField()
    reactions = serializers.IntegerField()
    comments = serializers.IntegerField()
    reposts = serializers.IntegerField()
    views = serializers.IntegerField()
    loops = serializers.FloatField()


class LeaderboardVideo(serializers.Serializer[Any]):
    id = serializers.CharField()
    pubkey = serializers.CharField()
    kind = serializers.IntegerField()
    d_tag = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    thumbnail = serializers.CharField(allow_blank=True)
    video_url = serializers.CharField()
    author_name = serializers.CharField(allow_blank=True)
    author_avatar = serializers.CharField(allow_blank=True)
    views = serializers.IntegerField(help_text="In the period.")
    unique_viewers = serializers.IntegerField(help_text="In the period.")
    loops = serializers.FloatField(help_text="In the period.")


class LeaderboardCreator(serializers.Serializer[Any]):
    pubkey = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_blank=True)
    nip05 = serializers.CharField(allow_null=True)
    views = serializers.IntegerField(help_text="In the period, of all live videos.")
    unique_viewers = serializers.IntegerField(help_text="In the period, distinct.")
    loops = serializers.FloatField(help_text="In the period.")
    videos_with_views = serializers.IntegerField(help_text="In the period.")


class VideoLeaderboard(serializers.Serializer[Any]):
    period = serializers.CharField()
    entries = LeaderboardVideo(many=True)


class CreatorLeaderboard(serializers.Serializer[Any]):
    period = serializers.CharField()
    entries = LeaderboardCreator(many=True)


class CreatorSummary(serializers.Serializer[Any]):
    """The live videos of one person, and what happened to them in the window."""

    video_count = serializers.IntegerField(help_text="Live videos, of any age.")
    views = serializers.IntegerField()
    unique_viewers = serializers.IntegerField()
    reactions = serializers.IntegerField()
    comments = serializers.IntegerField()
    reposts = serializers.IntegerField()
    has_view_data = serializers.BooleanField(help_text="Whether any playback was reported.")


class NumberOfDay(serializers.Serializer[Any]):
    date = serializers.CharField(help_text="In UTC, ISO 8601.")
    value = serializers.IntegerField()


class DailyNumbers(serializers.Serializer[Any]):
    """Day by day, oldest first."""

    daily_views = NumberOfDay(many=True)
    daily_interactions = NumberOfDay(many=True, help_text="Reactions, comments and reposts.")
    daily_follows = NumberOfDay(many=True, help_text="Always empty: follow lists tell no dates.")


class TopPost(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the current version.")
    views = serializers.IntegerField(help_text="In the window.")
    engagement_rate = serializers.FloatField(
        allow_null=True, help_text="Interactions for each view; null without a view."
    )


class CreatorAnalytics(serializers.Serializer[Any]):
    pubkey = serializers.CharField()
    window = serializers.CharField()
    period = serializers.CharField(help_text="The same as window.")
    total_views = serializers.IntegerField()
    total_loops = serializers.FloatField()
    total_watch_time = serializers.IntegerField(
        allow_null=True, help_text="Always null: it is not measured."
    )
    unique_viewers = serializers.IntegerField()
    summary = CreatorSummary()
    timeseries = DailyNumbers()
    top_posts = TopPost(many=True)
