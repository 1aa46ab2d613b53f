"""Whole lists, read page by page as clients do, and the videos to fill them with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rest_framework.test import APIClient

from funnel.nostr import Event
from tests.builders import Author, a_video, alice

Row = dict[str, Any]

# Five in every second, so that most pages end between equals.
IN_ONE_SECOND = 5


def videos_with_ties(number: int, by: Author = alice, **changes: Any) -> list[Event]:
    return [
        a_video(by, f"v{n}", title=f"{n}", at=n // IN_ONE_SECOND, **changes) for n in range(number)
    ]


def get(api: APIClient, path: str, **params: object) -> Any:
    response = api.get(path, {name: str(value) for name, value in params.items()})
    assert 200 == response.status_code, response.content
    return response.json()


def pages_by_offset(
    api: APIClient, path: str, *, limit: int, **params: object
) -> Iterator[list[Row]]:
    """The pages of an array, until one is short, as a client without another sign reads it."""
    offset = 0
    while True:
        page = get(api, path, limit=limit, offset=offset, **params)
        yield page
        offset += len(page)
        if len(page) < limit:
            return


def pages_by_cursor(
    api: APIClient, path: str, *, limit: int, **params: object
) -> Iterator[list[Row]]:
    """The pages of an envelope, until it says that there are no more."""
    cursor: dict[str, str] = {}
    while True:
        answer = get(api, path, limit=limit, **params, **cursor)
        assert ["data", "pagination"] == list(answer)
        pagination = answer["pagination"]
        yield answer["data"]
        if pagination["has_more"] is not True:
            assert {"has_more": False, "next_cursor": None} == pagination
            return
        assert isinstance(pagination["next_cursor"], str)
        cursor = {"cursor": pagination["next_cursor"]}


def assert_complete(pages: list[list[Row]], *, rows: int, limit: int, name: str = "id") -> None:
    """⌈rows / limit⌉ pages, every one but the last full, no row lost and none twice."""
    names = [row[name] for page in pages for row in page]
    # A client that only sees a full page asks for one more.
    assert math.ceil(rows / limit) == len([page for page in pages if page])
    assert all(len(page) == limit for page in pages[:-1])
    assert rows == len(names)
    assert rows == len(set(names))
