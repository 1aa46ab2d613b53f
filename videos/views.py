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
from funnel.paging import Cursor, cursor_in, next_before, next_cursor, read_before
from funnel.params import MAX_ROWS, Params
from videos import queries
from videos.queries import Filters, FoundPlace, Page, Place
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


def envelope(rows: list[Row], following: str | None) -> dict[str, Any]:
    """following: the cursor of the next page."""
    return {
        "data": rows,
        "pagination": {"has_more": following is not None, "next_cursor": following},
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
        page = page_of(params, filters_of(params, now=now), first_row(params), now=now)
        if params["sort"] not in BY_TIME:
            return Response(page.rows)
        response = Response(rows_by_time(page, request))
        patch_vary_headers(response, ["Origin"])
        return response

    @cached(CursorFeedParams, VideoPage, seconds=LIST_SECONDS)
    def list_with_cursor(self, request: Request) -> Response:
        """Live videos in an order, with cursors that new videos do not shift."""
        now, params = clock.now(), CursorFeedParams.of(request)
        of = ranking(params)
        cursor = cursor_in(params, of=of)
        page = page_of(params, filters_of(params, now=now), cursor, now=now)
        following = next_cursor(page.last, cursor, row_limit=params["limit"], of=of)
        return Response(envelope(page.rows, following))


def ranking(params: Mapping[str, Any]) -> str:
    """The name of a list's order: places of one ranking mean nothing in another."""
    sort: str = params["sort"]
    return sort if params["trust"] else f"{sort} without trust"


def first_row(params: Mapping[str, Any]) -> Cursor:
    """Where a page begins that is asked for by `offset` alone."""
    return Cursor(offset=params["offset"])


def page_of(params: Mapping[str, Any], filters: Filters, cursor: Cursor, *, now: int) -> Page:
    """The page of a list that begins at the cursor."""
    return queries.feed(
        params["sort"],
        filters,
        now=now,
        row_limit=params["limit"],
        row_offset=cursor.offset,
        after=Place(*cursor.place) if cursor.place else None,
        trusted=params["trust"],
    )


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
        following = next_cursor(last, cursor, row_limit=params["limit"], of="likers")
        return Response(envelope(rows, following))

    @cached(CommentsParams, CommentPage, seconds=LIST_SECONDS, may_miss=True)
    def comments(self, request: Request, reference: str) -> Response:
        """Live comments on a video, replies included."""
        now, params = clock.now(), CommentsParams.of(request, reference=reference)
        video = self.live(params["reference"], now=now)
        of = f"comments {params['sort']}"
        cursor = cursor_in(params, of=of)
        rows, has_more = queries.video_comments(
            key_of(video),
            now=now,
            newest_first=params["sort"] == "newest",
            after=(cursor.place[0], cursor.place[1]) if cursor.place else None,
            row_limit=params["limit"],
            row_offset=cursor.offset,
        )
        last = [rows[-1]["created_at"], rows[-1]["id"]] if has_more else None
        following = next_cursor(last, cursor, row_limit=params["limit"], of=of)
        return Response(envelope(rows, following))

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
        page = page_of(params, filters, first_row(params), now=now)
        # Of all pages: those after the first are asked for with a `before` of their own.
        everything = dataclasses.replace(filters, before=queries.END_OF_TIME)
        total = queries.count_videos(params["sort"], everything, now=now)
        return Response(page.rows, headers={"X-Total-Count": str(total)})

    @cached(AuthorVideosParams, Video(many=True), seconds=AUTHOR_SECONDS)
    def collabs(self, request: Request, pubkey: str) -> Response:
        """Live videos that name somebody as a collaborator."""
        now, params = clock.now(), AuthorVideosParams.of(request, pubkey=pubkey)
        filters = dataclasses.replace(filters_of(params, now=now), collaborator=params["pubkey"])
        return Response(page_of(params, filters, first_row(params), now=now).rows)

    @cached(FollowingFeedParams, FOLLOWING_FEED, seconds=LIST_SECONDS, varies_by=kind_of_client)
    def feed(self, request: Request, pubkey: str) -> Response:
        """What the people publish whom one follows.

        The web client wants an array and sends an Origin, as browsers do; the mobile client wants
        an object.
        """
        now, params = clock.now(), FollowingFeedParams.of(request, pubkey=pubkey)
        by_time, limit = params["sort"] in BY_TIME, params["limit"]
        before, skipped = read_before(params["before"])
        of = ranking(params)
        cursor = cursor_in(params | {"offset": params["offset"] + skipped}, of=of)
        filters = dataclasses.replace(
            filters_of(params | {"before": before}, now=now), followed_by=params["pubkey"]
        )
        page = page_of(params, filters, cursor, now=now)
        if by_time and not (params["cursor"] or params["offset"]):
            seconds = next_before(
                [place.published_at for place in page.places],
                row_limit=limit,
                before=before,
                skipped=cursor.offset,
            )
            following = None if seconds is None else str(seconds)
        else:
            following = next_cursor(page.last, cursor, row_limit=limit, of=of)
        response = Response(
            (rows_by_time(page, request) if by_time else page.rows)
            if kind_of_client(request) == "browser"
            else {"videos": page.rows, "next_cursor": following, "has_more": page.has_more}
        )
        patch_vary_headers(response, ["Origin"])
        return response


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
        filters, cursor = filters_of(params, now=now), first_row(params)
        if params["tag"]:
            sort = "recent" if params["sort"] == "relevance" else params["sort"]
            return Response(page_of(params | {"sort": sort}, filters, cursor, now=now).rows)
        return Response(searched(params, filters, cursor, now=now).rows)


class SearchWithCursorViewSet(ViewSet):
    @cached(CursorSearchParams, VideoPage, seconds=LIST_SECONDS)
    def list(self, request: Request) -> Response:
        """Live videos with all words, with cursors that new videos do not shift."""
        now, params = clock.now(), CursorSearchParams.of(request)
        # Without words it is another list, whose places are of another form.
        of = f"search {ranking(params)}" if params["words"] else ranking(params)
        cursor = cursor_in(params, of=of)
        page = searched(params, filters_of(params, now=now), cursor, now=now)
        following = next_cursor(page.last, cursor, row_limit=params["limit"], of=of)
        return Response(envelope(page.rows, following))


def searched(params: Mapping[str, Any], filters: Filters, cursor: Cursor, *, now: int) -> Page:
    if not params["words"]:
        # Nothing is ruled out, and everything is as relevant as it is popular.
        sort = "popular" if params["sort"] == "relevance" else params["sort"]
        return page_of({**params, "sort": sort}, filters, cursor, now=now)
    return queries.search_text(
        now=now,
        words=params["words"],
        filters=filters,
        sort=params["sort"],
        row_limit=params["limit"],
        row_offset=cursor.offset,
        after=FoundPlace(*cursor.place) if cursor.place else None,
        trusted=params["trust"],
    )
