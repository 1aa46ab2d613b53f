"""What the service says about one video, by HTTP or, where the API has no field, by its view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.test import APIClient

from funnel.clickhouse import connections
from funnel.nostr import Event
from funnel.sql import parse_query
from tests.builders import key
from tests.published import NOW

CLAIMS = parse_query(
    "tests.claims",
    """-- What people say of one video.
    SELECT
        emoji_images,
        reports,
        labels
    FROM videos(now = {now:UInt32})
    WHERE video_key = {video_key:String}
    """,
)


SCORES = parse_query(
    "tests.scores",
    """-- What each video trends by.
    SELECT
        video_key,
        plain_score,
        trusted_score
    FROM videos(now = {now:UInt32})
    """,
)


def row(api: APIClient, video: Event) -> dict[str, Any]:
    response = api.get(f"/api/videos/{video.id}/stats")
    assert 200 == response.status_code, response.content
    answer: dict[str, Any] = response.json()
    return answer


def fields(api: APIClient, video: Event, *names: str) -> dict[str, Any]:
    found = row(api, video)
    return {name: found[name] for name in names}


def rows_of(now: int) -> list[dict[str, Any]]:
    """What every live video trends by before it fades."""
    return connections["reader"].select(SCORES, {"now": now})


def each(api: APIClient, videos: Sequence[Event], name: str) -> list[Any]:
    """One field of each of the videos, in their order."""
    return [row(api, video)[name] for video in videos]


def recent(api: APIClient) -> list[str]:
    """What the newest feed shows: address, or id where there is none."""
    response = api.get("/api/videos", {"sort": "recent", "limit": "100"})
    assert 200 == response.status_code, response.content
    return [video["address"] or video["id"] for video in response.json()]


def claims(video: Event, name: str, now: int = NOW) -> set[tuple[Any, ...]]:
    """The people by emoji and picture, by type of report, or by namespace and label."""
    [found] = connections["reader"].select(CLAIMS, {"now": now, "video_key": key(video)})
    return {tuple(claim) for claim in found[name]}
