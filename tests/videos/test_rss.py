"""`GET /feed/latest`, `/feed/trending`, `/feed/tag/{tag}`: the feeds as RSS 2.0."""

from __future__ import annotations

from xml.etree import ElementTree

import nostr_sdk
import pytest

from tests.builders import a_profile, a_video, alice, bob
from tests.published import publish

URLS = ["/feed/latest", "/feed/trending", "/feed/tag/cats"]


def parsed(response):
    return ElementTree.fromstring(response.content)  # noqa: S314 our own answer


def items(api, url):
    return parsed(api.get(url)).findall("channel/item")


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_a_feed_without_items(api, url):
    response = api.get(url)

    root = parsed(response)
    assert ["rss", "2.0"] == [root.tag, root.get("version")]
    assert response["Content-Type"].startswith("application/rss+xml")
    assert response["Cache-Control"].startswith("public, max-age=30, ")
    assert "*" == response["Access-Control-Allow-Origin"]
    assert [] == root.findall("channel/item")
    assert all(root.findtext(f"channel/{name}") for name in ("title", "link", "description"))


def test_a_feed_is_dated_by_its_newest_video_and_without_one_by_nothing(api):
    assert b"lastBuildDate" not in api.get("/feed/latest").content

    publish(a_video(alice, "old"), a_video(alice, "new", at=90_000))

    built = parsed(api.get("/feed/latest")).findtext("channel/lastBuildDate")
    assert "Wed, 15 Nov 2023 23:13:20 +0000" == built


@pytest.mark.parametrize("url", URLS)
def test_an_item_is_a_video_that_can_be_played(api, url):
    video = a_video(
        alice,
        title="Cats & <dogs>\x01\x1b",
        at=90_000,
        tags=[("t", "Cats"), ("url", "https://x.example/a.mp4?b=1&c=2")],
    )
    publish(a_profile(alice, name="alice"), video)

    [item] = items(api, url)

    assert "Cats & <dogs>" == item.findtext("title")
    assert "https://x.example/a.mp4?b=1&c=2" == item.findtext("link")
    assert f"34236:{alice.pubkey}:v1" == item.findtext("guid")
    assert "Wed, 15 Nov 2023 23:13:20 +0000" == item.findtext("pubDate")
    assert ["cats"] == [category.text for category in item.findall("category")]
    assert "https://x.example/a.mp4?b=1&c=2" == item.find("enclosure").get("url")


def test_a_video_without_a_file_leads_to_its_event(api):
    video = a_video(alice, at=90_000)
    publish(video)

    [item] = items(api, "/feed/latest")

    assert f"nostr:{nostr_sdk.EventId.parse(video.id).to_bech32()}" == item.findtext("link")
    assert [None, "Untitled"] == [item.find("enclosure"), item.findtext("title")]


def test_a_hashtags_feed_has_its_videos_alone_newest_first(api):
    publish(
        a_video(alice, "a", title="old", tags=[("t", "cats")]),
        a_video(bob, "b", title="new", at=10, tags=[("t", "Cats")]),
        a_video(bob, "c", title="other", tags=[("t", "dogs")]),
    )

    assert ["new", "old"] == [item.findtext("title") for item in items(api, "/feed/tag/CATS")]


@pytest.mark.parametrize("url", URLS)
def test_readers_may_ask_for_the_head_alone(api, url):
    assert 200 == api.head(url).status_code


@pytest.mark.parametrize("tag", ["%1b", "it's", "%F0%9F%90%88", "%FF", "a" * 5000])
def test_hostile_hashtags_are_answered(api, tag):
    assert 200 == api.get(f"/feed/tag/{tag}").status_code


def test_a_hashtag_with_a_nul_is_malformed_as_everywhere(api):
    assert 400 == api.get("/feed/tag/%00").status_code
