"""The feeds as RSS 2.0, for readers and podcast players: latest, trending, and one hashtag's."""

from __future__ import annotations

import datetime as dt
import re

import nostr_sdk
from django.http import HttpRequest, HttpResponse
from django.utils.feedgenerator import Enclosure, Rss201rev2Feed, rfc2822_date
from django.utils.xmlutils import SimplerXMLGenerator
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from funnel import clock
from funnel.caching import LIST_SECONDS, cached
from funnel.nostr import VIDEO_KINDS
from funnel.params import DEFAULT_ROWS, Params
from videos import queries
from videos.rows import Row

# What XML 1.0 §2.2 cannot hold, not even escaped.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


RSS = ("application/rss+xml", {"type": "string"})


class TagParams(Params):
    tag = serializers.CharField(help_text="A hashtag, in any case.")


class Feed(Rss201rev2Feed):
    def add_root_elements(self, handler: SimplerXMLGenerator) -> None:
        """As Django's, but a feed without items has no date: Django's would be now, so that each
        answer differed from the one before.
        """
        for name in ("title", "link", "description"):
            handler.addQuickElement(name, self.feed[name])
        handler.addQuickElement("atom:link", None, {"rel": "self", "href": self.feed["feed_url"]})
        if self.items:
            handler.addQuickElement("lastBuildDate", rfc2822_date(self.latest_post_date()))


def own_address(request: HttpRequest | Request) -> str:
    """The URL of the feed, as its readers are to ask for it."""
    return request.build_absolute_uri(request.path)


class RssViewSet(ViewSet):
    @cached(Params, RSS, seconds=LIST_SECONDS, varies_by=own_address)
    def latest(self, request: Request) -> HttpResponse:
        """The newest videos as RSS 2.0."""
        return rss(request, "Latest videos", "recent", queries.Filters(kinds=VIDEO_KINDS))

    @cached(Params, RSS, seconds=LIST_SECONDS, varies_by=own_address)
    def trending(self, request: Request) -> HttpResponse:
        """The videos of the highest trending score as RSS 2.0."""
        return rss(request, "Trending videos", "trending", queries.Filters(kinds=VIDEO_KINDS))

    @cached(TagParams, RSS, seconds=LIST_SECONDS, varies_by=own_address)
    def tag(self, request: Request, tag: str) -> HttpResponse:
        """The newest videos with a hashtag as RSS 2.0."""
        filters = queries.Filters(kinds=VIDEO_KINDS, hashtags=(tag,))
        return rss(request, f"Videos with #{tag}", "recent", filters)


def rss(request: Request, title: str, sort: str, filters: queries.Filters) -> HttpResponse:
    """One page of a list as an RSS 2.0 document."""
    page = queries.feed(sort, filters, now=clock.now(), row_limit=DEFAULT_ROWS)
    address = own_address(request)
    feed = Feed(xml(title), address, xml(title), feed_url=address)
    for row in page.rows:
        add_item(feed, row)
    return HttpResponse(feed.writeString("utf-8"), content_type=feed.content_type)


def add_item(feed: Rss201rev2Feed, row: Row) -> None:
    video_url = xml(row["video_url"])
    feed.add_item(
        title=xml(row["title"]) or "Untitled",
        # without a file there is still the event (NIP-21)
        link=video_url or f"nostr:{nostr_sdk.EventId.parse(row['id']).to_bech32()}",
        description=xml(row["content"]),
        author_name=xml(row["author_name"]) or None,
        unique_id=xml(row["address"]) or row["id"],
        unique_id_is_permalink=False,
        pubdate=dt.datetime.fromtimestamp(row["published_at"], dt.UTC),
        categories=[xml(hashtag) for hashtag in row["hashtags"]],
        # RSS wants a length in bytes, which no event tells; 0 is the convention for unknown
        enclosures=[Enclosure(video_url, "0", "video/mp4")] if video_url else [],
    )


def xml(text: str) -> str:
    return NOT_XML.sub("", text)
