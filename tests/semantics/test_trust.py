"""What is trending: whose acts count, and that it cannot be bought."""

from __future__ import annotations

import pytest

from clickhouse_schema.projector import Projector
from funnel.clickhouse import connections
from tests.builders import (
    A_DAY,
    Author,
    a_comment,
    a_deletion,
    a_note,
    a_reaction,
    a_repost,
    a_video,
    alice,
    as_json,
    bob,
    carol,
    dave,
    follows,
    key,
    mallory,
)
from tests.delivery import Delivery
from tests.published import NOW
from tests.semantics.asked import rows_of
from tests.sybils import World, insert

VIDEO = a_video(alice, "v1", title="one", at=A_DAY)
OTHER = a_video(alice, "v2", title="two", at=A_DAY)
# Two days after T, when everybody who signed something at T has a history.
LATER = NOW + A_DAY
EVERYBODY = (alice, bob, carol, dave, mallory)
# Something from before, by each.
HISTORY = [a_note(person, at=0) for person in EVERYBODY]


def deliver(*batches, seeds: tuple[Author, ...] = (), now: int = LATER) -> Delivery:
    delivery = Delivery(
        connections["default"], now=now, trust_seeds=tuple(seed.pubkey for seed in seeds)
    )
    delivery.deliver([as_json(event) for event in batch] for batch in batches)
    assert not delivery.rejected
    return delivery


def scores(video=VIDEO) -> tuple[int, float]:
    """What the video trends by: with everybody alike, and with trust."""
    [found] = [row for row in rows_of(LATER) if row["video_key"] == key(video)]
    return found["plain_score"], found["trusted_score"]


@pytest.fixture(autouse=True)
def at_later(monkeypatch):
    monkeypatch.setattr("funnel.clock.now", lambda: LATER)


def test_one_person_has_one_voice_for_each_kind_of_act(api):
    deliver(
        [
            *HISTORY,
            VIDEO,
            a_reaction(VIDEO, bob, "+", at=A_DAY),
            a_reaction(VIDEO, bob, "🔥", at=A_DAY + 1),
            *[a_comment(VIDEO, bob, f"nice {n}", at=A_DAY + n) for n in range(5)],
            a_repost(VIDEO, bob, via="a", at=A_DAY),
            a_repost(VIDEO, bob, via="e", at=A_DAY + 1),
            # Who dislikes a video has not reacted in its favour.
            a_reaction(VIDEO, carol, "🔥", at=A_DAY),
            a_reaction(VIDEO, carol, "-", at=A_DAY + 1),
        ]
    )

    assert (1 + 2 + 3, 6.0) == scores()


def test_an_act_counts_from_a_day_after_its_authors_first_event(api):
    deliver(
        [
            VIDEO,
            a_note(bob, at=0),
            a_reaction(VIDEO, bob, at=A_DAY - 1),
            a_note(carol, at=1),
            a_comment(VIDEO, carol, at=A_DAY + 1),
            # Deleted, and still a sign that he was there.
            note := a_note(dave, at=2),
            a_deletion(note, by=dave, at=3),
            a_repost(VIDEO, dave, at=A_DAY + 2),
            # The second act is late enough, the first is not.
            a_reaction(VIDEO, mallory, "+", at=5),
            a_reaction(VIDEO, mallory, "🔥", at=A_DAY + 5),
        ]
    )

    assert (1 + 2 + 3 + 1, 2 + 3 + 1) == scores()


def test_an_earlier_event_that_comes_later_lends_a_history_to_acts(api):
    delivery = deliver([VIDEO, OTHER, a_reaction(VIDEO, bob, at=A_DAY), a_note(bob, at=A_DAY - 9)])
    delivery.deliver([[as_json(a_repost(OTHER, bob, at=A_DAY - 1))]])
    assert [(1, 0.0), (3, 0.0)] == [scores(), scores(OTHER)]

    delivery.deliver([[as_json(a_note(bob, at=0))]])

    # The repost is younger than a day still.
    assert [(1, 1.0), (3, 0.0)] == [scores(), scores(OTHER)]


def test_standing_halves_with_each_follow_and_ends(api):
    far, mutual = Author("far away"), follows(mallory, bob, at=0)
    deliver(
        [
            VIDEO,
            *HISTORY,
            a_note(far, at=0),
            follows(dave, bob, at=0),
            follows(bob, carol, dave, at=0),
            follows(carol, far, at=0),
            mutual,
            *[a_reaction(VIDEO, person, at=A_DAY) for person in (dave, bob, carol, far, mallory)],
        ],
        seeds=(dave,),
    )

    assert (5, 1 + 1 + 0.5) == scores()


def test_a_new_follow_list_changes_what_was_done_before(api):
    acts = [
        *HISTORY,
        VIDEO,
        OTHER,
        a_reaction(VIDEO, bob, at=A_DAY),
        a_repost(OTHER, carol, at=A_DAY),
        follows(bob, carol, at=0),
    ]
    delivery = deliver(acts, seeds=(dave,))
    assert [(1, 0.0), (3, 0.0)] == [scores(), scores(OTHER)]

    delivery.deliver([[as_json(follows(dave, bob, at=1))]])
    assert [(1, 1.0), (3, 1.5)] == [scores(), scores(OTHER)]

    delivery.deliver([[as_json(follows(bob, at=2))]])
    assert [(1, 1.0), (3, 0.0)] == [scores(), scores(OTHER)]

    delivery.deliver([[as_json(a_deletion(follows(dave, bob, at=1), by=dave, via="a", at=3))]])
    assert [(1, 0.0), (3, 0.0)] == [scores(), scores(OTHER)]


def test_a_seed_has_standing_before_it_follows_anybody(api):
    deliver([*HISTORY, VIDEO, a_reaction(VIDEO, dave, at=A_DAY)], seeds=(dave,))

    assert (1, 1.0) == scores()


def test_other_seeds_count_from_the_next_start_on(api):
    acts = [*HISTORY, VIDEO, follows(dave, bob, at=0), follows(mallory, carol, at=0)]
    acts += [a_reaction(VIDEO, bob, at=A_DAY), a_repost(VIDEO, carol, at=A_DAY)]
    deliver(acts, seeds=(dave,))
    assert (4, 1.0) == scores()

    deliver([], seeds=(mallory,))

    assert (4, 3.0) == scores()


def test_more_videos_than_a_chunk_are_computed_in_several(api, monkeypatch):
    monkeypatch.setattr("clickhouse_schema.projector.CHUNK_VIDEOS", 2)
    videos = [a_video(alice, f"v{number}", at=A_DAY) for number in range(5)]
    likes = [a_reaction(video, bob, at=A_DAY) for video in videos]
    delivery = deliver([*HISTORY, *videos, *likes], seeds=(dave,))
    assert [(1, 0.0)] * 5 == [scores(video) for video in videos]

    delivery.deliver([[as_json(follows(dave, bob, at=1))]])

    assert [(1, 1.0)] * 5 == [scores(video) for video in videos]


def test_trust_off_counts_everybody_alike(api):
    bought, liked = VIDEO, OTHER
    deliver(
        [
            *HISTORY,
            follows(dave, bob, at=0),
            bought,
            liked,
            a_repost(bought, mallory, at=A_DAY),
            a_reaction(liked, bob, at=A_DAY),
        ],
        seeds=(dave,),
    )

    def trending(**params: str) -> list[tuple[str, bool]]:
        found = api.get("/api/videos", {"sort": "trending", **params})
        return [(row["title"], row["trending_score"] > 0) for row in found.json()]

    assert [("two", True), ("one", False)] == trending() == trending(trust="on")
    assert [("one", True), ("two", True)] == trending(trust="off")
    assert 400 == api.get("/api/videos", {"trust": "a little"}).status_code


def trending_keys(api, **params: str) -> list[str]:
    found: list[str] = []
    while len(found) % 100 == 0:
        page = {"sort": "trending", "limit": "100", "offset": str(len(found)), **params}
        rows = api.get("/api/videos", page).json()
        found += [row["address"] for row in rows]
        if not rows:
            break
    return found


def trending_hashtags(api, **params: str) -> list[tuple[str, float]]:
    rows = api.get("/api/hashtags/trending", params).json()
    return [(row["hashtag"], row["trending_score"]) for row in rows]


def test_a_hashtag_trends_by_who_is_trusted_and_not_by_new_keys(api):
    newcomers = [Author(f"newcomer {number}") for number in range(9)]

    def tagged(by, d, hashtag):
        tags = [("t", hashtag), ("thumb", f"https://x.example/{d}")]
        return a_video(by, d, at=A_DAY, tags=tags)

    liked, crowd = tagged(alice, "liked", "cats"), tagged(mallory, "crowd", "cats")
    bought = [tagged(newcomer, "bought", "spam") for newcomer in newcomers]
    deliver(
        [
            *HISTORY,
            *(liked, crowd, *bought),
            a_reaction(liked, bob, at=A_DAY),
            *[a_repost(crowd, newcomer, at=A_DAY) for newcomer in newcomers],
            *[a_repost(video, by, at=A_DAY) for video in bought for by in newcomers[:3]],
        ]
    )

    [cats, spam] = api.get("/api/hashtags/trending").json()
    assert ("cats", "spam", 0) == (cats["hashtag"], spam["hashtag"], spam["trending_score"])
    # Nor is the picture of a hashtag for sale.
    assert "https://x.example/liked" == cats["thumbnail"]
    assert ["spam", "cats"] == [name for name, _ in trending_hashtags(api, trust="off")]
    assert 400 == api.get("/api/hashtags/trending", {"trust": "a little"}).status_code


@pytest.mark.parametrize(("keys", "seeded"), [(6_000, True), (500, False)])
def test_six_thousand_new_keys_move_no_video(api, clickhouse, keys, seeded):
    world = World(now=LATER, people=300, videos=150, acts=6_000, keys=keys)
    projector = Projector(clickhouse, trust_seeds=world.seeds if seeded else (), lag_seconds=-1)
    insert(clickhouse, world.honest_events())
    projector.catch_up(now=LATER)
    honest, before = trending_keys(api, trust="off"), trending_keys(api)
    assert 150 == len(honest)
    plain_topics, topics = trending_hashtags(api, trust="off"), trending_hashtags(api)

    insert(clickhouse, world.bought_events())
    projector.catch_up(now=LATER)

    # The keys have what they paid for in the plain list, and nothing in the other.
    bought = set(trending_keys(api, trust="off")[: world.lifted]) & world.lifted_videos
    assert len(bought) >= 10
    assert before == trending_keys(api)
    assert topics == trending_hashtags(api)
    assert plain_topics != trending_hashtags(api, trust="off")
    assert len(set(honest[:100]) & set(before[:100])) >= 90
