"""Videos for one person, by what that person's own reactions, comments and reposts say."""

from __future__ import annotations

import dataclasses
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.caching import LIST_SECONDS, cached
from funnel.clickhouse import connections
from funnel.nostr import VIDEO_KINDS
from funnel.paging import cursor_in, next_cursor
from funnel.params import (
    CursorField,
    Params,
    PubkeyField,
    RowLimitField,
    RowOffsetField,
    TextField,
    WordField,
)
from funnel.sql import ConditionalQuery, load_query
from videos import queries
from videos.queries import Filters, FoundPlace, Page, Place
from videos.serializers import SENSITIVE_BY_WORD, Video

INTERESTS = load_query(__file__, "interests")
RECOMMENDED = ConditionalQuery(load_query(__file__, "recommended"))

# Enough to know somebody by, and few enough to ask for.
LATEST_ACTS = 500
DEFAULT_ROWS = 20
FALLBACKS = ("popular", "recent")
PERSONALIZED = "personalized"


@dataclasses.dataclass(frozen=True, slots=True)
class PersonalPlace(FoundPlace):
    """list_tier: where the list has the video that is shown after all of interest; for these 0."""

    list_tier: int


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
    now, limit, of = clock.now(), params["limit"], "recommendations"
    cursor = cursor_in(params, of=of)
    # In the cursor: of which list, how many rows have been shown, and the place in that list.
    source, shown, place = PERSONALIZED, cursor.offset, None
    if cursor.place:
        source, shown, *place = cursor.place
    page = None
    if params["pubkey"] and source == PERSONALIZED:
        after = PersonalPlace(*place) if place else None
        page = personal_page(params, now=now, row_offset=cursor.offset, after=after)
    if page is None:
        # Who had something of their own, and has taken it all back, goes on where they were.
        if source == PERSONALIZED:
            source, place = params["fallback"], None
        page = queries.feed(
            source,
            Filters(kinds=VIDEO_KINDS, hashtags=wanted_hashtags(params), sensitive=params["nsfw"]),
            now=now,
            row_limit=limit,
            row_offset=0 if place else shown,
            after=Place(*place) if place else None,
        )
    following = shown + limit if page.has_more else None
    last = [source, following, *page.last] if page.last else None
    return Response(
        {
            "videos": page.rows,
            "source": source,
            "limit": limit,
            "offset": shown,
            "has_more": page.has_more,
            "next_offset": following,
            "next_cursor": next_cursor(last, cursor, row_limit=limit, of=of),
            "fallback_applied": source != PERSONALIZED,
        }
    )


def wanted_hashtags(params: dict[str, Any]) -> list[str]:
    return [params["category"]] if params["category"] else []


def personal_page(
    params: dict[str, Any], *, now: int, row_offset: int, after: PersonalPlace | None
) -> Page | None:
    """One page for the person; None for one whose acts say nothing.

    after: the place of the last video of the page before.
    """
    reader = connections["reader"]
    pubkey = params["pubkey"]
    interests: dict[str, dict[str, int]] = {"hashtag": {}, "author": {}, "video": {}}
    ranked_at = after.ranked_at if after else now
    asked = {"now": now, "ranked_at": ranked_at, "pubkey": pubkey, "act_limit": LATEST_ACTS}
    for row in reader.select(INTERESTS, asked):
        interests[row["what"]][row["name"]] = row["weight"]
    hashtags, authors = interests["hashtag"], interests["author"]
    if not hashtags and not authors:
        return None
    row_limit = params["limit"]
    found = queries.answered(
        RECOMMENDED.given({"after"} if after else set()),
        {
            "now": now,
            "ranked_at": ranked_at,
            "pubkey": pubkey,
            "interesting_hashtags": list(hashtags),
            "hashtag_weights": list(hashtags.values()),
            "interesting_authors": list(authors),
            "author_weights": list(authors.values()),
            "known_videos": list(interests["video"]),
            "hashtags": wanted_hashtags(params),
            "sensitive": params["nsfw"],
            "row_limit": row_limit + 1,
            "row_offset": row_offset,
            **(after_values(after) if after else {}),
        },
    )
    return Page(
        rows=queries.video_rows(found[:row_limit], now=now),
        places=[
            PersonalPlace(
                rank=row["place"],
                published_at=row["published_at"],
                id=row["id"],
                ranked_at=ranked_at,
                engagement_score=row["engagement_score"],
                list_tier=row["list_tier"],
            )
            for row in found
        ],
        row_limit=row_limit,
    )


def after_values(place: PersonalPlace) -> dict[str, Any]:
    return queries.found_place_values(place) | {"after_list_tier": place.list_tier}
