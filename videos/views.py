"""The video endpoints: each validates, asks one query, and answers its rows."""

from __future__ import annotations

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.caching import LIST_SECONDS, STATS_SECONDS, cached
from videos import queries
from videos.serializers import AuthorVideosParams, FeedParams, SearchParams, VideoParams

FEEDS = {
    "recent": queries.recent,
    "popular": queries.popular,
    "trending": queries.trending,
}


class VideoViewSet(ViewSet):
    @cached(seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        params = FeedParams.of(request)
        feed = FEEDS[params["sort"]]
        return Response(feed(now=clock.now(), kinds=params["kind"], row_limit=params["limit"]))

    @cached(seconds=STATS_SECONDS)
    def stats(self, request: Request, reference: str) -> Response:
        params = VideoParams.of(request, reference=reference)
        video = queries.video_stats(now=clock.now(), reference=params["reference"])
        if video is None:
            raise NotFound("Video not found")
        return Response(video)


class AuthorVideosViewSet(ViewSet):
    @cached(seconds=LIST_SECONDS)
    def list(self, request: Request, pubkey: str) -> Response:
        params = AuthorVideosParams.of(request, pubkey=pubkey)
        return Response(
            queries.author_videos(
                now=clock.now(), pubkey=params["pubkey"], row_limit=params["limit"]
            )
        )


class SearchViewSet(ViewSet):
    @cached(seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        params = SearchParams.of(request)
        if params["tag"]:
            rows = queries.search_hashtag(
                now=clock.now(), hashtag=params["tag"], row_limit=params["limit"]
            )
        else:
            rows = queries.search_text(
                now=clock.now(), words=params["words"], row_limit=params["limit"]
            )
        return Response(rows)
