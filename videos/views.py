"""The video endpoints: each validates, asks for one page or one video, and answers its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.caching import AUTHOR_SECONDS, LIST_SECONDS, STATS_SECONDS, cached
from funnel.nostr import HEX_64
from funnel.openapi import described
from funnel.paging import (
    Cursor,
    InvalidCursor,
    next_before,
    offset_cursor,
    place_cursor,
    read_before,
    read_cursor,
)
from funnel.params import MAX_ROWS, Params
from videos import queries
from videos.queries import Filters, Page, Place
from videos.rows import Row
from videos.serializers import (
    BULK_STATS,
    FOLLOWING_FEED,
    VIDEO_STATS,
    AuthorVideosParams,
    BulkParams,
    BulkVideos,
    BulkVideosParams,
    BulkVideoStats,
    CommentPage,
    CommentsParams,
    CursorFeedParams,
    CursorSearchParams,
    Event,
    FeaturedTabParams,
    FeaturedTabs,
    FeedParams,
    FollowingFeedParams,
    LikerPage,
    LikersParams,
    SearchParams,
    SpanOfVideo,
    TimeseriesParams,
    Video,
    VideoEvent,
    VideoPage,
    VideoParams,
    VideoStats,
    VideoViews,
)

# Orders in which the next page may be asked for by a time.
BY_TIME = ("recent", "published")


def filters_of(params: Mapping[str, Any], *, now: int) -> Filters:
    """Which videos a request wants, out of the parameters that every list has."""
    classic, seconds = params["classic"], params["period"]
    return Filters(
        kinds=params["kind"],
        # There is no list of categories but what authors tag.
        hashtags=[name for name in (params["tag"], params["t"], params["category"]) if name],
        author=params.get("author", ""),
        platform=params["platform"].lower(),
        exclude_platform=params["exclude_platform"].lower(),
        classic=(False, True) if classic is None else (classic,),
        sensitive=params["nsfw"],
        since=max(0, now - seconds) if seconds else 0,
        before=params["before"],
    )


def cursor_in(params: Mapping[str, Any], *, of: str) -> Cursor:
    """Where the page begins; without a cursor, after `offset` rows."""
    if not params["cursor"]:
        return Cursor(offset=params.get("offset", 0))
    try:
        return read_cursor(params["cursor"], of=of)
    except InvalidCursor as error:
        raise ValidationError({"cursor": "must be a next_cursor of this list."}) from error


def envelope(rows: list[Row], next_cursor: str | None) -> dict[str, Any]:
    return {
        "data": rows,
        "pagination": {"has_more": next_cursor is not None, "next_cursor": next_cursor},
    }


def kind_of_client(request: HttpRequest | Request) -> str:
    """A page in a browser sends its Origin, an app does not."""
    return "browser" if "HTTP_ORIGIN" in request.META else "app"


def reader_of_times(request: HttpRequest) -> str:
    """The kind of client where the list is by time, which is what they read differently."""
    return kind_of_client(request) if request.GET.get("sort") in BY_TIME else ""


def rows_by_time(page: Page, request: Request) -> list[Row]:
    """The rows of a list by time, with times that each kind of client goes on from.

    The web client takes `created_at` of the last row for its next `before`. Where that row has been
    edited it would begin above it again, for ever if all of a page has been edited; so it is told
    when the row was published, which is what such a list is ordered by.
    """
    if kind_of_client(request) == "app":
        return page.rows
    return [row | {"created_at": row["published_at"]} for row in page.rows]


class VideoListViewSet(ViewSet):
    @cached(FeedParams, Video(many=True), seconds=LIST_SECONDS, varies_by=reader_of_times)
    def list(self, request: Request) -> Response:
        """Live videos in an order, one row for each."""
        now, params = clock.now(), FeedParams.of(request)
        page = queries.feed(
            params["sort"],
            filters_of(params, now=now),
            now=now,
            row_limit=params["limit"],
            row_offset=params["offset"],
            trusted=params["trust"],
        )
        if params["sort"] not in BY_TIME:
            return Response(page.rows)
        response = Response(rows_by_time(page, request))
        patch_vary_headers(response, ["Origin"])
        return response

    @cached(CursorFeedParams, VideoPage, seconds=LIST_SECONDS)
    def list_with_cursor(self, request: Request) -> Response:
        """Live videos in an order, with cursors that new videos do not shift."""
        now, params = clock.now(), CursorFeedParams.of(request)
        sort, limit = params["sort"], params["limit"]
        # Places of one ranking mean nothing in the other.
        ranking = sort if params["trust"] else f"{sort} without trust"
        cursor = cursor_in(params, of=ranking)
        page = queries.feed(
            sort,
            filters_of(params, now=now),
            now=now,
            row_limit=limit,
            row_offset=cursor.offset,
            after=Place(*cursor.place) if cursor.place else None,
            trusted=params["trust"],
        )
        if not page.has_more:
            return Response(envelope(page.rows, None))
        if cursor.offset:
            return Response(envelope(page.rows, offset_cursor(cursor.offset + limit)))
        last = list_of(page.places[limit - 1])
        return Response(envelope(page.rows, place_cursor(last, of=ranking)))


def list_of(place: Place) -> list[Any]:
    return list(dataclasses.astuple(place))


class VideoViewSet(ViewSet):
    @cached(VideoParams, VideoEvent, seconds=STATS_SECONDS, may_miss=True)
    def retrieve(self, request: Request, reference: str) -> Response:
        """The signed event of a video's current version, with its counts."""
        now, params = clock.now(), VideoParams.of(request, reference=reference)
        video = self.live(params["reference"], now=now)
        event = queries.event(video["id"], now=now)
        if event is None:
            raise NotFound("Video not found")
        return Response({"event": event, "stats": {name: video[name] for name in VIDEO_STATS}})

    @cached(VideoParams, VideoStats, seconds=STATS_SECONDS, may_miss=True)
    def stats(self, request: Request, reference: str) -> Response:
        """The row of one video."""
        params = VideoParams.of(request, reference=reference)
        video = self.live(params["reference"], now=clock.now())
        return Response(video | {"event_id": video["id"]})

    @cached(VideoParams, VideoViews, seconds=STATS_SECONDS, may_miss=True)
    def views(self, request: Request, reference: str) -> Response:
        """How often a video was played, and by how many people."""
        params = VideoParams.of(request, reference=reference)
        video = self.live(params["reference"], now=clock.now())
        return Response({name: video[name] for name in ("views", "unique_viewers")})

    @cached(LikersParams, LikerPage, seconds=LIST_SECONDS, may_miss=True)
    def likers(self, request: Request, reference: str) -> Response:
        """Who reacted to a video, latest first."""
        now, params = clock.now(), LikersParams.of(request, reference=reference)
        video = self.live(params.get("a", params["reference"]), now=now)
        cursor = cursor_in(params, of="likers")
        rows, has_more = queries.likers(
            key_of(video),
            now=now,
            after=(cursor.place[0], cursor.place[1]) if cursor.place else None,
            row_limit=params["limit"],
            row_offset=cursor.offset,
        )
        last = [rows[-1]["created_at"], rows[-1]["pubkey"]] if has_more else None
        return Response(envelope(rows, place_cursor(last, of="likers") if last else None))

    @cached(CommentsParams, CommentPage, seconds=LIST_SECONDS, may_miss=True)
    def comments(self, request: Request, reference: str) -> Response:
        """Live comments on a video, replies included."""
        now, params = clock.now(), CommentsParams.of(request, reference=reference)
        video = self.live(params["reference"], now=now)
        offset = cursor_in(params, of="comments").offset
        rows, has_more = queries.video_comments(
            key_of(video),
            now=now,
            newest_first=params["sort"] == "newest",
            row_limit=params["limit"],
            row_offset=offset,
        )
        return Response(envelope(rows, offset_cursor(offset + len(rows)) if has_more else None))

    @cached(TimeseriesParams, SpanOfVideo(many=True), seconds=STATS_SECONDS, may_miss=True)
    def timeseries(self, request: Request, reference: str) -> Response:
        """What happened to a video in each of the latest spans, newest first."""
        now, params = clock.now(), TimeseriesParams.of(request, reference=reference)
        video = self.live(params["reference"], now=now)
        seconds, shift = params["interval"]
        return Response(
            queries.timeseries(
                key_of(video),
                now=now,
                span_seconds=seconds,
                shift_seconds=shift,
                row_limit=params["limit"],
            )
        )

    def live(self, reference: str, *, now: int) -> Row:
        """The row of the video; raises NotFound for what is not live."""
        video = queries.video_by_reference(reference, now=now)
        if video is None:
            raise NotFound("Video not found")
        return video


def key_of(video: Row) -> str:
    key: str = video["address"] or video["id"]
    return key


class EventViewSet(ViewSet):
    @cached(VideoParams, Event, seconds=LIST_SECONDS, may_miss=True)
    def retrieve(self, request: Request, reference: str) -> Response:
        """A signed event."""
        params = VideoParams.of(request, reference=reference)
        if not HEX_64.fullmatch(params["reference"]):
            raise ValidationError({"reference": "must be an event id, note1 or nevent1."})
        event = queries.event(params["reference"], now=clock.now())
        if event is None:
            raise NotFound("Event not found")
        return Response(event)


class AuthorViewSet(ViewSet):
    @cached(AuthorVideosParams, Video(many=True), seconds=AUTHOR_SECONDS)
    def videos(self, request: Request, pubkey: str) -> Response:
        """One author's live videos.

        `X-Total-Count` says how many there are on all pages.
        """
        now, params = clock.now(), AuthorVideosParams.of(request, pubkey=pubkey)
        filters = dataclasses.replace(filters_of(params, now=now), author=params["pubkey"])
        page = self.page(params, filters, now=now)
        # Of all pages: those after the first are asked for with a `before` of their own.
        everything = dataclasses.replace(filters, before=queries.END_OF_TIME)
        total = queries.count_videos(everything, now=now)
        return Response(page.rows, headers={"X-Total-Count": str(total)})

    @cached(AuthorVideosParams, Video(many=True), seconds=AUTHOR_SECONDS)
    def collabs(self, request: Request, pubkey: str) -> Response:
        """Live videos that name somebody as a collaborator."""
        now, params = clock.now(), AuthorVideosParams.of(request, pubkey=pubkey)
        filters = dataclasses.replace(filters_of(params, now=now), collaborator=params["pubkey"])
        return Response(self.page(params, filters, now=now).rows)

    @cached(FollowingFeedParams, FOLLOWING_FEED, seconds=LIST_SECONDS, varies_by=kind_of_client)
    def feed(self, request: Request, pubkey: str) -> Response:
        """What the people publish whom one follows.

        The web client wants an array and sends an Origin, as browsers do; the mobile client wants
        an object.
        """
        now, params = clock.now(), FollowingFeedParams.of(request, pubkey=pubkey)
        by_time, limit = params["sort"] in BY_TIME, params["limit"]
        before, skipped = read_before(params["before"])
        offset = params["offset"] + skipped
        if params["cursor"]:
            offset = cursor_in(params, of="feed").offset
        filters = dataclasses.replace(
            filters_of(params | {"before": before}, now=now), followed_by=params["pubkey"]
        )
        page = self.page(params | {"offset": offset}, filters, now=now)
        if by_time:
            following = next_before(
                [place.published_at for place in page.places],
                row_limit=limit,
                before=before,
                skipped=offset,
            )
            next_cursor = None if following is None else str(following)
        else:
            next_cursor = offset_cursor(offset + limit) if page.has_more else None
        response = Response(
            (rows_by_time(page, request) if by_time else page.rows)
            if kind_of_client(request) == "browser"
            else {"videos": page.rows, "next_cursor": next_cursor, "has_more": page.has_more}
        )
        patch_vary_headers(response, ["Origin"])
        return response

    def page(self, params: Mapping[str, Any], filters: Filters, *, now: int) -> Page:
        return queries.feed(
            params["sort"],
            filters,
            now=now,
            row_limit=params["limit"],
            row_offset=params["offset"],
            trusted=params["trust"],
        )


class FeaturedTabsViewSet(ViewSet):
    @cached(Params, FeaturedTabs, seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        """Tabs that somebody chose for the apps: none.

        Nobody edits this service; apps ask again after a while.
        """
        return Response({"poll_interval_seconds": 300, "featured_tabs": []})

    @cached(FeaturedTabParams, VideoPage, seconds=LIST_SECONDS)
    def videos(self, request: Request, tab: str) -> Response:
        """The videos of a tab, which apps may still show that no server chooses any more: none."""
        cursor_in(FeaturedTabParams.of(request, tab=tab), of="featured-tab")
        return Response(envelope([], None))


class BulkViewSet(ViewSet):
    @described(BulkVideosParams, BulkVideos)
    def rows(self, request: Request) -> Response:
        """The rows of up to 100 videos."""
        now, body, source = clock.now(), validated(BulkVideosParams, request), None
        if "from_event" in body:
            names, videos, source = queries.videos_of_list(
                now=now, row_limit=MAX_ROWS, **body["from_event"]
            )
            found, missing = by_sent_name(dict(zip(names, names, strict=True)), videos)
        else:
            found, missing = self.found(body["references"], now=now)
        distinct = {video["id"]: video for video in found.values()}
        return Response(
            {"videos": list(distinct.values()), "missing": missing, "source_event_id": source}
        )

    @described(BulkParams, BulkVideoStats)
    def stats(self, request: Request) -> Response:
        """The counts of up to 100 videos."""
        references = validated(BulkParams, request)["references"]
        found, missing = self.found(references, now=clock.now())
        stats = {
            name: {field: video[field] for field in BULK_STATS} for name, video in found.items()
        }
        return Response({"stats": stats, "missing": missing})

    def found(self, names: Mapping[str, str], *, now: int) -> tuple[dict[str, Row], list[str]]:
        """The videos that were asked for, as by_sent_name() has them."""
        return by_sent_name(names, queries.videos_by_reference(list(set(names.values())), now=now))


def by_sent_name(
    names: Mapping[str, str], videos: Mapping[str, Row]
) -> tuple[dict[str, Row], list[str]]:
    """The videos by the names that were sent, in their order, and the names of none.

    names: what each name that was sent stands for. videos: by what stands for them.
    """
    found = {name: videos[key] for name, key in names.items() if key in videos}
    return found, [name for name in names if name not in found]


def validated(params: type[BulkParams], request: Request) -> dict[str, Any]:
    """What the body asks for; raises ValidationError."""
    body = params(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class SearchViewSet(ViewSet):
    @cached(SearchParams, Video(many=True), seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        """Live videos with a hashtag, or with all words."""
        now, params = clock.now(), SearchParams.of(request)
        filters = filters_of(params, now=now)
        if params["tag"]:
            sort = "recent" if params["sort"] == "relevance" else params["sort"]
            page = queries.feed(
                sort,
                filters,
                now=now,
                row_limit=params["limit"],
                row_offset=params["offset"],
                trusted=params["trust"],
            )
        else:
            page = searched(params, filters, now=now, row_offset=params["offset"])
        return Response(page.rows)


class SearchWithCursorViewSet(ViewSet):
    @cached(CursorSearchParams, VideoPage, seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        """Live videos with all words, with cursors."""
        now, params = clock.now(), CursorSearchParams.of(request)
        offset = cursor_in(params, of="search").offset
        page = searched(params, filters_of(params, now=now), now=now, row_offset=offset)
        following = offset_cursor(offset + params["limit"]) if page.has_more else None
        return Response(envelope(page.rows, following))


def searched(params: Mapping[str, Any], filters: Filters, *, now: int, row_offset: int) -> Page:
    if not params["words"]:
        # Nothing is ruled out, and everything is as relevant as it is popular.
        sort = "popular" if params["sort"] == "relevance" else params["sort"]
        return queries.feed(
            sort,
            filters,
            now=now,
            row_limit=params["limit"],
            row_offset=row_offset,
            trusted=params["trust"],
        )
    return queries.search_text(
        now=now,
        words=params["words"],
        filters=filters,
        sort=params["sort"],
        row_limit=params["limit"],
        row_offset=row_offset,
        trusted=params["trust"],
    )
