"""Videos for one person, by what that person's own reactions, comments and reposts say."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.caching import LIST_SECONDS, cached
from funnel.clickhouse import connections
from funnel.nostr import VIDEO_KINDS
from funnel.paging import InvalidCursor, offset_cursor, read_cursor
from funnel.params import (
    CursorField,
    Params,
    PubkeyField,
    RowLimitField,
    RowOffsetField,
    TextField,
    WordField,
)
from funnel.sql import load_query
from videos import queries
from videos.queries import Filters, Page
from videos.serializers import SENSITIVE_BY_WORD, Video

INTERESTS = load_query(__file__, "interests")
RECOMMENDED = load_query(__file__, "recommended")

# Enough to know somebody by, and few enough to ask for.
LATEST_ACTS = 500
DEFAULT_ROWS = 20
FALLBACKS = ("popular", "recent")


class RecommendedParams(Params):
    """For whom, and which page; without somebody, the fallback."""

    pubkey = PubkeyField(default="")
    fallback = serializers.ChoiceField(
        choices=FALLBACKS,
        default="popular",
        help_text="The list that is shown where nothing is known of the person.",
        error_messages={"invalid_choice": f"must be one of {', '.join(FALLBACKS)}."},
    )
    category = TextField("Videos with this hashtag.")
    nsfw = WordField(SENSITIVE_BY_WORD, default="show")
    cursor = CursorField()
    offset = RowOffsetField()
    limit = RowLimitField(default=DEFAULT_ROWS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Puts the place of the cursor, which counts rows here, into `offset`."""
        if not attrs["cursor"]:
            return attrs
        try:
            return attrs | {"offset": read_cursor(attrs["cursor"], of="recommendations").offset}
        except InvalidCursor as error:
            raise ValidationError({"cursor": "must be a next_cursor of this list."}) from error


class RecommendationsParams(RecommendedParams):
    pubkey = PubkeyField()


class Recommendations(serializers.Serializer[Any]):
    videos = Video(many=True)
    source = serializers.CharField(  # type: ignore[assignment]  # a field, which DRF takes out
        help_text="personalized, or the fallback."
    )
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    has_more = serializers.BooleanField()
    next_offset = serializers.IntegerField(allow_null=True)
    next_cursor = serializers.CharField(allow_null=True)
    fallback_applied = serializers.BooleanField()


class RecommendationsViewSet(ViewSet):
    @cached(RecommendationsParams, Recommendations, seconds=LIST_SECONDS)
    def of_user(self, request: Request, pubkey: str) -> Response:
        """Videos for one person, by what that person reacted to."""
        return answer(RecommendationsParams.of(request, pubkey=pubkey))

    @cached(RecommendedParams, Recommendations, seconds=LIST_SECONDS)
    def feed(self, request: Request) -> Response:
        """Videos for one person, or for nobody in particular."""
        return answer(RecommendedParams.of(request))


def answer(params: dict[str, Any]) -> Response:
    now = clock.now()
    page = personal_page(params, now=now) if params["pubkey"] else None
    source = "personalized" if page else params["fallback"]
    if page is None:
        filters = Filters(
            kinds=VIDEO_KINDS, hashtags=wanted_hashtags(params), sensitive=params["nsfw"]
        )
        page = queries.feed(
            params["fallback"],
            filters,
            now=now,
            row_limit=params["limit"],
            row_offset=params["offset"],
        )
    following = params["offset"] + params["limit"] if page.has_more else None
    return Response(
        {
            "videos": page.rows,
            "source": source,
            "limit": params["limit"],
            "offset": params["offset"],
            "has_more": page.has_more,
            "next_offset": following,
            "next_cursor": None if following is None else offset_cursor(following),
            "fallback_applied": source != "personalized",
        }
    )


def wanted_hashtags(params: dict[str, Any]) -> list[str]:
    return [params["category"]] if params["category"] else []


def personal_page(params: dict[str, Any], *, now: int) -> Page | None:
    """One page for the person; None for one whose acts say nothing."""
    reader = connections["reader"]
    pubkey = params["pubkey"]
    interests: dict[str, dict[str, int]] = {"hashtag": {}, "author": {}, "video": {}}
    asked = {"now": now, "pubkey": pubkey, "act_limit": LATEST_ACTS}
    for row in reader.select(INTERESTS, asked):
        interests[row["what"]][row["name"]] = row["weight"]
    hashtags, authors = interests["hashtag"], interests["author"]
    if not hashtags and not authors:
        return None
    found = reader.select(
        RECOMMENDED,
        {
            "now": now,
            "pubkey": pubkey,
            "interesting_hashtags": list(hashtags),
            "hashtag_weights": list(hashtags.values()),
            "interesting_authors": list(authors),
            "author_weights": list(authors.values()),
            "known_videos": list(interests["video"]),
            "hashtags": wanted_hashtags(params),
            "sensitive": params["nsfw"],
            "row_limit": params["limit"] + 1,
            "row_offset": params["offset"],
        },
    )
    return Page(
        rows=queries.video_rows(found[: params["limit"]], now=now),
        places=[],
        has_more=len(found) > params["limit"],
    )
