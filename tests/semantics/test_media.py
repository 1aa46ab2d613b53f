"""What the author says of a video: media (NIP-71, NIP-92), hashtags (NIP-24), warnings (NIP-36)."""

from __future__ import annotations

import pytest

from tests.builders import a_video, address, alice, bob
from tests.published import publish
from tests.semantics.asked import fields, recent, row

FILE = "https://media.example/v.mp4"
PICTURE = "https://media.example/p.jpg"
HASH = "0123456789abcdef" * 4


def titles(response) -> list[str]:
    assert 200 == response.status_code, response.content
    return [video["title"] for video in response.json()]


@pytest.mark.parametrize("encoding", ["one item each", "in turn"])
def test_the_first_imeta_that_is_video_is_the_main_one(api, encoding: str):
    audio = [("url", "https://media.example/a.m4a"), ("m", "audio/mp4"), ("duration", "9")]
    main = [
        ("url", FILE),
        ("m", "Video/MP4"),
        ("dim", "720x1280"),
        ("duration", "6.25"),
        ("x", HASH.upper()),
        ("blurhash", "eVF$^OI:${M{o#"),
        ("alt", "two words"),
        ("image", PICTURE),
        ("fallback", "https://mirror.example/v.mp4"),
        ("fallback", "ftp://mirror.example/v.mp4"),
    ]
    other = [("url", "https://media.example/other.mp4"), ("m", "video/mp4"), ("dim", "1x1")]
    tags = [
        ("imeta", *(f"{name} {value}" for name, value in each))
        if encoding == "one item each"
        else ("imeta", *(item for pair in each for item in pair))
        for each in (audio, main, other)
    ]
    video = a_video(alice, tags=tags)
    publish(video)

    expected = {
        "video_url": FILE,
        "dimensions": "720x1280",
        "dim": "720x1280",
        "duration": 6.25,
        "sha256": HASH,
        "blurhash": "eVF$^OI:${M{o#",
        "thumbnail": PICTURE,
        "fallback_urls": ["https://mirror.example/v.mp4"],
    }
    assert expected == fields(api, video, *expected)


def test_a_playlist_and_a_medium_without_type_are_video_too(api):
    playlist = "https://media.example/v.m3u8"
    of_playlist = a_video(
        alice,
        "playlist",
        tags=[
            ("imeta", f"url {PICTURE}", "m image/jpeg"),
            ("imeta", f"url {playlist}", "m application/x-mpegURL"),
        ],
    )
    untyped = a_video(alice, "untyped", tags=[("imeta", f"url {FILE}"), ("url", playlist)])
    by_tag = a_video(alice, "tag", tags=[("imeta", f"url {PICTURE}", "m image/x"), ("url", FILE)])
    publish(of_playlist, untyped, by_tag)

    urls = [row(api, video)["video_url"] for video in (of_playlist, untyped, by_tag)]

    assert [playlist, FILE, FILE] == urls


def test_only_web_addresses_are_media(api):
    shifted = a_video(alice, "shifted", tags=[("imeta", "url m", "video/mp4", "x y")])
    script = a_video(
        alice,
        "script",
        tags=[
            ("imeta", "url javascript:alert(1)", f"image {PICTURE}", "m video/mp4"),
            ("url", "javascript:alert(1)"),
            ("thumb", "data:image/png;base64,AAAA"),
            ("image", "/p.jpg"),
        ],
    )
    second_best = a_video(
        alice,
        "second best",
        tags=[
            ("imeta", "url data:video/mp4;base64,AAAA", "m video/mp4", "dim 1x1"),
            ("imeta", f"url {FILE}", "image data:image/png;base64,AAAA", "fallback m"),
            ("thumb", "javascript:alert(1)"),
            ("image", PICTURE),
        ],
    )
    publish(shifted, script, second_best)

    names = ("video_url", "thumbnail", "fallback_urls", "dimensions")
    nothing = {"video_url": "", "thumbnail": "", "fallback_urls": [], "dimensions": ""}
    assert nothing == fields(api, shifted, *names)
    assert nothing == fields(api, script, *names)
    assert {**nothing, "video_url": FILE, "thumbnail": PICTURE} == fields(api, second_best, *names)


def test_a_duration_is_more_than_nothing_and_at_most_a_day(api):
    texts = ["86400", "0.04", "86400.5", "0", "-1", "6s", "1e3", "nan", "00:06", ".5", ""]
    videos = [a_video(alice, f"v{text}", tags=[("duration", text)]) for text in texts]
    second = a_video(
        alice,
        "second",
        tags=[("imeta", f"url {FILE}", "duration 0"), ("duration", "7")],
    )
    publish(*videos, second)

    durations = [row(api, video)["duration"] for video in (*videos, second)]

    assert [86_400.0, 0.04, *[None] * 9, 7.0] == durations


def test_dimensions_and_hashes_that_cannot_be_read_are_unknown(api):
    readable = a_video(
        alice,
        "readable",
        tags=[
            ("imeta", f"url {FILE}", "dim 720 x 1280", f"x {HASH}0"),
            ("dim", "99999x1"),
            ("x", HASH),
        ],
    )
    dimensions = ["0x5", "5x0", "123456x1", "720×1280", "720X1280", "portrait"]
    unreadable = [
        a_video(alice, each, tags=[("dim", each), ("x", HASH[:-1] + "g")]) for each in dimensions
    ]
    publish(readable, *unreadable)

    assert {"dimensions": "99999x1", "sha256": HASH} == fields(
        api, readable, "dimensions", "sha256"
    )
    assert [("", "")] * len(dimensions) == [
        (found["dimensions"], found["sha256"])
        for found in (row(api, video) for video in unreadable)
    ]


def test_what_the_author_claims_is_kept_apart_and_absurd_claims_are_none(api):
    claims = ("loops", "likes", "comments", "reposts")
    imported = a_video(
        alice,
        "imported",
        tags=[
            ("platform", "Vine"),
            *zip(claims, ("16000", "7", "0003", "999999999999999"), strict=True),
        ],
    )
    absurd = a_video(
        bob, "absurd", tags=zip(claims, ("1" + "0" * 15, "-7", "1e3", "many"), strict=True)
    )
    publish(imported, absurd)

    measured = {
        "reactions": 0,
        "likes": 0,
        "comments": 0,
        "reposts": 0,
        "loops": 0.0,
        "views": 0,
        "engagement_score": 0,
    }
    expected = {
        "embedded_loops": 16_000,
        "embedded_likes": 7,
        "embedded_comments": 3,
        "embedded_reposts": 999_999_999_999_999,
        "platform": "vine",
        "classic": True,
        **measured,
    }
    assert expected == fields(api, imported, *expected)
    expected = {
        "embedded_loops": None,
        "embedded_likes": 0,
        "embedded_comments": 0,
        "embedded_reposts": 0,
        "platform": "",
        "classic": False,
        **measured,
    }
    assert expected == fields(api, absurd, *expected)


def test_a_warning_as_a_tag_or_a_self_label_marks_a_video_that_stays(api):
    by_tag = a_video(
        alice,
        "tag",
        tags=[("content-warning", "nudity"), ("l", "gore", "content-warning")],
    )
    without_reason = a_video(alice, "bare", tags=[("content-warning",)])
    by_label = a_video(
        alice,
        "label",
        tags=[("content-warning", ""), ("l", "gore", "content-warning"), ("l", "en", "ISO-639-1")],
    )
    unmarked = a_video(alice, "unmarked", tags=[("l", "gore", "ugc"), ("t", "nsfw")])
    publish(by_tag, without_reason, by_label, unmarked)

    assert [(True, "nudity"), (True, ""), (True, "gore"), (False, "")] == [
        (found["sensitive"], found["content_warning"])
        for found in (row(api, each) for each in (by_tag, without_reason, by_label, unmarked))
    ]
    assert 4 == len(recent(api))


def test_an_edit_takes_the_warning_away(api):
    marked = a_video(alice, tags=[("content-warning", "nudity")])
    edited = a_video(alice, tags=[("title", "harmless")], at=5)
    publish(edited, marked)

    assert {"sensitive": False, "content_warning": ""} == fields(
        api, edited, "sensitive", "content_warning"
    )


def test_hashtags_are_the_same_however_they_are_written(api):
    publish(
        a_video(
            alice,
            title="one",
            tags=[
                ("t", "Cafe\u0301"),
                ("t", "CAFÉ"),
                ("t", " #Straße\n"),
                ("t", "##double"),
                ("t", "# "),
                ("t", "İstanbul"),
                ("t", "two words"),
                ("T", "upper"),
            ],
        )
    )

    [found] = api.get("/api/videos?sort=recent").json()
    folded = ["café", "strasse", "#double", "i\u0307stanbul", "two words"]
    assert folded == found["hashtags"]
    for tag in ("café", "cafe\u0301", "#CAFÉ", "STRASSE", "straße", "##Double", "İSTANBUL"):
        assert ["one"] == titles(api.get("/api/search", {"tag": tag})), tag
    for tag in ("cafe", "double", "istanbul", "two", "upper"):
        assert [] == titles(api.get("/api/search", {"tag": tag})), tag


def test_a_summary_stands_in_for_an_empty_content(api):
    described = a_video(alice, "a", content="content", tags=[("summary", "summary")])
    summed_up = a_video(alice, "b", tags=[("summary", "summary")])
    publish(described, summed_up)

    assert ["content", "summary"] == [
        row(api, video)["content"] for video in (described, summed_up)
    ]
    assert {address(described), address(summed_up)} == set(recent(api))
