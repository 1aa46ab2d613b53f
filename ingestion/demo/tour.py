"""What a visitor of the demo can ask: the API itself, and a curl line for each question."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode

from ingestion.demo.ports import HOST

ANSWER_SECONDS = 5


def ask(port: int, path: str) -> Any:
    """The JSON body of a 200 answer, else None."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return json.loads(body) if response.status == http.HTTPStatus.OK else None


def trending(port: int) -> list[dict[str, Any]]:
    """The trending videos that somebody has reacted to."""
    query = urlencode({"sort": "trending", "limit": 50})
    videos = ask(port, f"/api/videos?{query}") or []
    return [video for video in videos if video["reactions"] > 0]


def tour(url: str, videos: list[dict[str, Any]]) -> str:
    """One curl line for each question, about a video that is there (or placeholders)."""
    video = videos[0] if videos else {"id": "VIDEO_ID", "pubkey": "PUBKEY", "title": "nostr"}
    hashtags = [tag[1] for tag in video.get("tags", []) if tag[0] == "t"]
    word = max(re.findall(r"\w+", video["title"]) or ["nostr"], key=len)
    questions = {
        "newest videos": "/api/videos?sort=recent&limit=5",
        "most popular": "/api/videos?sort=popular&limit=5",
        "trending": "/api/videos?sort=trending&limit=5",
        "one video's stats": f"/api/videos/{video['id']}/stats",
        "one author's videos": f"/api/users/{video['pubkey']}/videos?limit=5",
        "by hashtag": "/api/search?" + urlencode({"tag": hashtags[0] if hashtags else "cats"}),
        "by word": "/api/search?" + urlencode({"q": word}),
        "totals": "/api/stats",
        "health": "/health",
    }
    width = max(len(question) for question in questions)
    return "\n".join(f"{name:{width}}  curl -s '{url}{path}'" for name, path in questions.items())
