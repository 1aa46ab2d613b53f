"""The values whose wrong type would make an app drop a whole answer, and not one row of it."""

from __future__ import annotations

from tests.builders import a_profile, a_reaction, a_video, a_view, alice, bob, carol, follows
from tests.published import publish

TEXT, WHOLE, NUMBER, FLAG = (str,), (int,), (int, float), (bool,)
TEXT_OR_NULL = (str, type(None))


def assert_types(row, types):
    wrong = {name: row.get(name) for name, type_ in types.items() if type(row[name]) not in type_}
    assert {} == wrong


def test_values_have_the_types_that_apps_cast_them_to(api):
    video = a_video(
        alice, "v", title="cats", tags=[("t", "cats"), ("imeta", "url https://media.example/1.mp4")]
    )
    # Without a name, and with a profile that says nothing.
    nameless = a_video(carol, "w", tags=[("t", "cats"), ("imeta", "url https://m.example/2.mp4")])
    publish(
        video,
        nameless,
        a_profile(alice, name="ally"),
        a_profile(bob, name="bab"),
        a_profile(carol),
        follows(bob, alice, carol),
        a_reaction(video, bob),
        *(a_view(each, bob, loops="1.5") for each in (video, nameless)),
    )

    def get(path):
        response = api.get(path)
        assert 200 == response.status_code, response.content
        return response.json()

    user = f"/api/users/{alice.pubkey}"
    counts = {"follower_count": WHOLE, "following_count": WHOLE}
    assert_types(get(f"{user}/social"), counts)
    assert_types(get(user)["social"], counts)
    for name, path in (("followers", user), ("following", f"/api/users/{bob.pubkey}")):
        for query in ("", "?q=a"):
            page = get(f"{path}/{name}{query}")
            assert_types(page, {"total": WHOLE, "has_more": FLAG, "query": TEXT_OR_NULL})
            assert page[name]
            assert all(type(pubkey) is str for pubkey in page[name])
    for path in ("/api/hashtags", "/api/hashtags/trending?q=CA"):
        [hashtag] = get(path)
        numbers = dict.fromkeys(("video_count", "unique_creators", "total_loops"), WHOLE)
        assert_types(hashtag, {"hashtag": TEXT, "last_used": WHOLE, **numbers})
    videos = get("/api/leaderboard/videos?period=week")["entries"]
    assert 2 == len(videos)
    for entry in videos:
        assert entry["id"]
        assert entry["video_url"]
        assert_types(entry, {"kind": WHOLE, "views": WHOLE, "loops": NUMBER})
    creators = get("/api/leaderboard/creators?period=week")["entries"]
    assert 2 == len(creators)
    for entry in creators:
        assert_types(entry, dict.fromkeys(("name", "display_name", "picture"), TEXT))
        assert_types(entry, dict.fromkeys(("views", "unique_viewers", "videos_with_views"), WHOLE))
    for profile in get("/api/search/profiles"):
        assert_types(profile, {"nip05": TEXT, "follower_count": WHOLE, "video_count": WHOLE})
    assert_types(get("/api/stats"), {"total_videos": WHOLE, "vine_videos": WHOLE})
