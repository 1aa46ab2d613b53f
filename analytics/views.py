"""The analytics endpoints: each validates, asks, and answers the rows."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from analytics import queries
from analytics.categories import CATEGORIES
from analytics.serializers import (
    PERIOD_SECONDS,
    WINDOW_DAYS,
    ActiveUsers,
    ActiveUsersParams,
    BulkUsers,
    BulkUsersParams,
    Category,
    Creator,
    CreatorAnalytics,
    CreatorAnalyticsParams,
    CreatorLeaderboard,
    CreatorLeaderboardParams,
    CreatorsParams,
    Followers,
    FollowersParams,
    Following,
    FollowingParams,
    FoundProfile,
    Hashtag,
    HashtagsParams,
    LeaderboardParams,
    SearchProfilesParams,
    Social,
    Totals,
    TrendingHashtagsParams,
    User,
    UserParams,
    VideoLeaderboard,
)
from funnel import clock
from funnel.auth import PersonalViewSet
from funnel.caching import LIST_SECONDS, STATS_SECONDS, cached
from funnel.openapi import described
from funnel.params import MAX_ROWS, Params


class SiteViewSet(ViewSet):
    @cached(Params, Totals, seconds=STATS_SECONDS)
    def totals(self, request: Request) -> Response:
        """How many events and videos are stored."""
        return Response(queries.totals(now=clock.now()))

    @cached(ActiveUsersParams, ActiveUsers(many=True), seconds=STATS_SECONDS)
    def active_users(self, request: Request) -> Response:
        """People who signed anything, by day, week or month."""
        params = ActiveUsersParams.of(request)
        return Response(
            queries.active_users(
                now=clock.now(), span=params["interval"], row_limit=params["limit"]
            )
        )


class UserViewSet(ViewSet):
    @cached(UserParams, User, seconds=LIST_SECONDS)
    def retrieve(self, request: Request, pubkey: str) -> Response:
        """A person's profile and numbers."""
        params = UserParams.of(request, pubkey=pubkey)
        user = queries.users(now=clock.now(), pubkeys=[params["pubkey"]])[0]
        return Response(public(user))

    @cached(UserParams, Social, seconds=LIST_SECONDS)
    def social(self, request: Request, pubkey: str) -> Response:
        """How many people follow somebody, and are followed."""
        params = UserParams.of(request, pubkey=pubkey)
        return Response(queries.social(now=clock.now(), pubkey=params["pubkey"]))

    @cached(FollowersParams, Followers, seconds=LIST_SECONDS)
    def followers(self, request: Request, pubkey: str) -> Response:
        """Who follows a person."""
        params = FollowersParams.of(request, pubkey=pubkey)
        page = queries.followers(now=clock.now(), **follows_page(params))
        return Response(followed("followers", page, params))

    @cached(FollowingParams, Following, seconds=LIST_SECONDS)
    def following(self, request: Request, pubkey: str) -> Response:
        """Whom a person follows, in the order of the list."""
        params = FollowingParams.of(request, pubkey=pubkey)
        page = queries.following(now=clock.now(), **follows_page(params))
        return Response(followed("following", page, params))

    @described(BulkUsersParams, BulkUsers)
    def bulk(self, request: Request) -> Response:
        """Profiles and numbers of up to 100 people."""
        params = BulkUsersParams.of_body(request)
        now = clock.now()
        if "from_event" in params:
            follower = params["from_event"]["pubkey"]
            users = queries.users_followed(now=now, pubkey=follower, row_limit=MAX_ROWS)
        else:
            users = queries.users(now=now, pubkeys=list(dict.fromkeys(params["pubkeys"])))
        return Response(
            {
                "users": [public(user) for user in users if user["known"]],
                "missing": [user["pubkey"] for user in users if not user["known"]],
            },
            headers={"Cache-Control": "no-store"},
        )


def public(user: queries.Row) -> queries.Row:
    return {name: value for name, value in user.items() if name != "known"}


def follows_page(params: dict[str, Any]) -> dict[str, Any]:
    """What both questions about follows are asked with."""
    return {
        "pubkey": params["pubkey"],
        "text": params["q"],
        "row_limit": params["limit"],
        "row_offset": params["offset"],
    }


def followed(name: str, page: queries.Row, params: dict[str, Any]) -> queries.Row:
    """One page of pubkeys under the name that the endpoint gives them."""
    return {
        name: page["pubkeys"],
        "total": page["total"],
        "has_more": params["offset"] + len(page["pubkeys"]) < page["total"],
        "query": params["q"] or None,
    }


class CreatorAnalyticsViewSet(PersonalViewSet):
    @described(CreatorAnalyticsParams, CreatorAnalytics)
    def retrieve(self, request: Request, pubkey: str) -> Response:
        """What happened to one's own live videos in a window of days.

        For the owner of the pubkey alone (NIP-98).
        """
        params = CreatorAnalyticsParams.of(request, pubkey=pubkey)
        window = params["window"]
        numbers = queries.creator_analytics(
            now=clock.now(),
            pubkey=params["pubkey"],
            days=WINDOW_DAYS[window],
            by_engagement=params["top_posts_sort"] == "engagement",
        )
        return Response({"pubkey": params["pubkey"], "window": window, "period": window, **numbers})


class ProfileViewSet(ViewSet):
    @cached(SearchProfilesParams, FoundProfile(many=True), seconds=LIST_SECONDS)
    def search(self, request: Request) -> Response:
        """People whose name, address or description holds a text."""
        params = SearchProfilesParams.of(request)
        return Response(
            queries.search_profiles(
                now=clock.now(),
                text=params["q"],
                by_followers=params["sort_by"] == "followers",
                has_videos=params["has_videos"],
                row_limit=params["limit"],
                row_offset=params["offset"],
            )
        )


class HashtagViewSet(ViewSet):
    @cached(TrendingHashtagsParams, Hashtag(many=True), seconds=LIST_SECONDS)
    def popular(self, request: Request) -> Response:
        """Hashtags by the number of live videos."""
        return self.answer(request, by_trend=False)

    @cached(TrendingHashtagsParams, Hashtag(many=True), seconds=LIST_SECONDS)
    def trending(self, request: Request) -> Response:
        """Hashtags by their trending score."""
        return self.answer(request, by_trend=True)

    def answer(self, request: Request, *, by_trend: bool) -> Response:
        params = TrendingHashtagsParams.of(request)
        return Response(
            queries.hashtags(
                now=clock.now(),
                text=params["q"],
                by_trend=by_trend,
                trusted=params["trust"],
                row_limit=params["limit"],
                row_offset=params["offset"],
            )
        )

    @cached(HashtagsParams, Category(many=True), seconds=LIST_SECONDS)
    def categories(self, request: Request) -> Response:
        """Hashtags that apps show as categories."""
        params = HashtagsParams.of(request)
        return Response(
            queries.categories(
                now=clock.now(),
                names=CATEGORIES,
                text=params["q"],
                row_limit=params["limit"],
                row_offset=params["offset"],
            )
        )


class CreatorViewSet(ViewSet):
    @cached(CreatorsParams, Creator(many=True), seconds=LIST_SECONDS)
    def top(self, request: Request) -> Response:
        """People by the engagement score of their live videos."""
        params = CreatorsParams.of(request)
        return Response(
            queries.top_creators(
                now=clock.now(), row_limit=params["limit"], row_offset=params["offset"]
            )
        )


class LeaderboardViewSet(ViewSet):
    @cached(LeaderboardParams, VideoLeaderboard, seconds=LIST_SECONDS)
    def videos(self, request: Request) -> Response:
        """Videos that were played most in a period."""
        params = LeaderboardParams.of(request)
        return Response(board(params, queries.leaderboard_videos(**board_page(params))))

    @cached(CreatorLeaderboardParams, CreatorLeaderboard, seconds=LIST_SECONDS)
    def creators(self, request: Request) -> Response:
        """People whose videos were played most in a period."""
        params = CreatorLeaderboardParams.of(request)
        return Response(board(params, queries.leaderboard_creators(**board_page(params))))


def board_page(params: dict[str, Any]) -> dict[str, int]:
    """What both leaderboards are asked with."""
    now = clock.now()
    reach = PERIOD_SECONDS[params["period"]]
    return {
        "now": now,
        "since": now - reach if reach else 0,
        "row_limit": params["limit"],
        "row_offset": params["offset"],
    }


def board(params: dict[str, Any], entries: list[queries.Row]) -> queries.Row:
    return {"period": params["period"], "entries": entries}
