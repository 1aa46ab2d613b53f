"""`GET /api/users/{pubkey}/collabs`: videos that name somebody as collaborator."""

from __future__ import annotations

from tests.builders import a_video, alice, bob, carol
from tests.published import publish
from tests.videos.lists import assert_complete, get, pages_by_offset

PATH = f"/api/users/{bob.pubkey}/collabs"


def with_role(role, to=bob):
    return [("p", to.pubkey, "", role)]


def test_only_a_collaborator_is_one_and_the_tags_are_there(api):
    publish(
        a_video(alice, "a", title="together", tags=with_role("Collaborator")),
        a_video(alice, "b", title="lower", tags=with_role("collaborator"), at=1),
        a_video(alice, "c", title="mentioned", tags=[("p", bob.pubkey)]),
        a_video(alice, "d", title="other role", tags=with_role("Actor")),
        a_video(alice, "e", title="with carol", tags=with_role("Collaborator", carol)),
        a_video(bob, "f", title="own"),
    )

    rows = get(api, PATH, sort="recent", limit=50, offset=0)

    assert ["lower", "together"] == [row["title"] for row in rows]
    assert ["p", bob.pubkey, "", "Collaborator"] in rows[1]["tags"]


def test_nobody_has_none(api):
    assert [] == get(api, PATH)


def test_pages_are_full_and_lose_nothing(api):
    publish(*(a_video(alice, f"v{n}", tags=with_role("Collaborator")) for n in range(7)))

    assert_complete(list(pages_by_offset(api, PATH, limit=3)), rows=7, limit=3)
