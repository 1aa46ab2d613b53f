"""Random sets of signed events that get in each other's way: few people, seconds and names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from funnel.nostr import VIDEO_KINDS, Event, Kind, is_addressable
from tests.builders import (
    A_DAY,
    Author,
    T,
    Tag,
    Via,
    a_comment,
    a_deletion,
    a_label,
    a_note,
    a_profile,
    a_quote,
    a_reaction,
    a_report,
    a_repost,
    a_vanish,
    a_video,
    a_view,
    a_zap,
    a_zap_request,
    address,
    an_event,
    an_invoice,
    as_json,
    bookmarks,
    follows,
    forged,
    lightning_service,
)
from tests.oracle import accept

Value = TypeVar("Value")

# Seconds that collide, straddle midnight, and lie on both sides of every `now` and its tolerance.
OFFSETS: tuple[int, ...] = (
    *range(4),
    *range(4),
    *range(4),
    *(50, 51, 7_999, 8_000, 50, 51, 7_999, 8_000),
    *(A_DAY, A_DAY, A_DAY + 2, 100_900, 100_901, 40 * A_DAY),
)
NOWS = (T + 50, T + 100_000, T + 100_000, T + 31 * A_DAY, T + 41 * A_DAY)
D_TAGS = ("v1", "v1", "v2", "", "https://vine.co/v/1:2", "naïve d")
EXPIRATIONS = (str(T + 51), str(T + 100_000), str(T + 100_001), "soon", "", "-1", "0", "9" * 30)
PUBLISHED = (str(T), str(T - A_DAY), str(T + 100 * A_DAY), "0", "-5", "", "2024-01-01", "9" * 30)
HASHTAGS = (
    "cats",
    "#Cats",
    "##cats",
    " CATS ",
    "dogs",
    "STRASSE",
    "straße",
    "Cafe\u0301",
    "Café",
    "#",
    "猫",
)
REACTIONS = ("+", "+", "", "-", "-", "🔥", "❤️", "❤", ":soapbox:", "+1", "some long words")
SOAPBOXES = (("emoji", "soapbox", "https://e/1.png"), ("emoji", "soapbox", "https://e/2.png"))
RELAYS = (
    "ALL_RELAYS",
    "ALL_RELAYS",
    "all_relays",
    "wss://relay.example.com",
    "wss://RELAY.example.com/",
    "https://funnel.example.com",
    "wss://other.example.com",
)
SESSIONS = (None, "s1", "s1", "s2")
LOOPS = (None, "0.75", "1.5", "2", "2.0259", "1000000", "-1", "NaN", "1e3", "")
PHASES = (None, "start", "start", "end", "end", "middle")
VIAS: tuple[Via, ...] = ("e", "a", "both")
LISTS = (Kind.BOOKMARKS, Kind.BOOKMARKS, Kind.BOOKMARK_SET, Kind.CURATION_SET)
MEDIA = (
    ("imeta", "url https://m/1.mp4", "m video/mp4", "image https://m/1.jpg", "dim 480x640"),
    ("imeta", "url", "https://m/2.mp4", "m", "video/mp4", "duration", "6.25", "blurhash", "LEHV6"),
    ("imeta", "url https://m/3.m4a", "m audio/mp4", "image https://m/3.jpg", "duration 9"),
    ("imeta", "m video/mp4", "image https://m/none.jpg"),
    ("imeta", "url", "", "m", "video/mp4", "image", "https://m/empty.jpg"),
    ("imeta", "url  https://m/4.mp4 ", "x " + "AB" * 32, "duration NaN"),
    ("url", "https://m/5.mp4"),
    ("thumb", "https://m/5.jpg"),
    ("thumbnail", "https://m/6.jpg"),
    ("duration", "12"),
    ("duration", "-1"),
    ("dim", "720x1280"),
)
CLAIMS = (
    ("content-warning",),
    ("content-warning", "gore"),
    ("l", "nudity", "content-warning"),
    ("platform", "vine"),
    ("origin", "vine", "5dhd"),
    ("loops", "142678928"),
    ("likes", "many"),
    ("comments", "7"),
    ("-",),
)
UNKNOWN_ID = "ab" * 32


@dataclass(frozen=True)
class Cast:
    """The few people of an event set; each number names others."""

    alice: Author
    bob: Author
    carol: Author
    dave: Author
    mallory: Author

    @classmethod
    def numbered(cls, number: int) -> Cast:
        return cls(*(Author(f"{name}{number or ''}") for name in cls.__annotations__))

    @property
    def creators(self) -> tuple[Author, ...]:
        return self.alice, self.alice, self.bob, self.carol

    @property
    def all(self) -> tuple[Author, ...]:
        return self.alice, self.bob, self.carol, self.dave, self.mallory


@dataclass(frozen=True)
class EventSet:
    """Deliveries in the order of arrival, repeated and forged ones among them, and a clock.

    `now` is in Unix seconds. `missing` are events that others name and nobody delivers.
    """

    deliveries: list[Event]
    now: int
    missing: list[Event] = field(default_factory=list)

    @functools.cached_property
    def accepted(self) -> list[Event]:
        """What a correct verifier lets through, repeated ones included."""
        return [event for event in self.deliveries if accept(as_json(event)) is not None]


class Scene:
    """The events so far, and one draw from each of the small sets above."""

    def __init__(self, draw: st.DrawFn, cast: Cast) -> None:
        self._draw = draw
        self.cast = cast
        self.events: list[Event] = []

    def one(self, choices: tuple[Value, ...] | list[Value]) -> Value:
        return self._draw(st.sampled_from(choices))

    def some(self, choices: tuple[Value, ...], most: int = 2) -> list[Value]:
        return self._draw(st.lists(st.sampled_from(choices), max_size=most))

    def author(self) -> Author:
        return self.one(self.cast.all)

    def at(self) -> int:
        return self.one(OFFSETS)

    def video(self) -> Event:
        # Most acts are about few videos, or no two of them would meet.
        videos = [event for event in self.events if event.kind in VIDEO_KINDS]
        return self.one((videos[0], self.one(videos)))

    def event(self) -> Event:
        return self.one(self.events)

    def at_or_later(self) -> int:
        # Often when people have been here for a day, so that their acts are trusted.
        return self.one((self.at(), self.one((A_DAY, A_DAY + 2, 100_900))))

    def expiration(self) -> list[Tag]:
        # Seldom, or little else would be left to see.
        expires = self.one((False, False, False, False, True))
        return [("expiration", self.one(EXPIRATIONS))] if expires else []


def _publish(scene: Scene) -> Event:
    tags: list[Tag] = [("t", hashtag) for hashtag in scene.some(HASHTAGS)]
    tags += scene.some(MEDIA, most=3) + scene.some(CLAIMS, most=1) + scene.expiration()
    tags += [("published_at", value) for value in scene.some(PUBLISHED, most=1)]
    return a_video(
        scene.one(scene.cast.creators),
        scene.one(D_TAGS),
        title=scene.one(("", "cats", "dogs", None)),
        at=scene.at(),
        kind=scene.one((34236, 34236, 34236, 34235, 22, 21)),
        tags=tags,
    )


def _edit(scene: Scene) -> Event:
    before = scene.video()
    if not is_addressable(before.kind):
        return _publish(scene)
    by = next(author for author in scene.cast.all if author.pubkey == before.pubkey)
    d = address(before).split(":", 2)[2]
    tags: list[Tag] = [("t", hashtag) for hashtag in scene.some(HASHTAGS)]
    tags += scene.expiration()
    return a_video(by, d, title="edited", at=scene.at(), kind=before.kind, tags=tags)


def _react(scene: Scene) -> Event:
    content = scene.one(REACTIONS)
    tags: list[Tag] = scene.expiration()
    if content == ":soapbox:":
        tags += scene.some(SOAPBOXES, most=1)
    tags += [("k", kind) for kind in scene.some(("34236", "34235", "1111", ""), most=1)]
    return a_reaction(
        scene.video(),
        scene.author(),
        content,
        via=scene.one(VIAS),
        at=scene.at_or_later(),
        tags=tags,
    )


def _vote(scene: Scene) -> Event:
    """By people who cannot decide, within one second or two."""
    video, by = scene.events[0], scene.one((scene.cast.bob, scene.cast.carol))
    return a_reaction(video, by, scene.one(("+", "-", "")), at=scene.one((1, 1, 2)))


def _react_to_anything(scene: Scene) -> Event:
    """With inherited tags: the video's first, then those of what is really meant."""
    video, target = scene.video(), scene.one((scene.event().id, UNKNOWN_ID))
    tags = [("e", target), *scene.expiration()]
    return a_reaction(
        video, scene.author(), scene.one(REACTIONS), via="both", at=scene.at(), tags=tags
    )


def _comment(scene: Scene) -> Event:
    return a_comment(
        scene.video(),
        scene.author(),
        parent=scene.one((None, scene.event())),
        via=scene.one(VIAS),
        at=scene.at_or_later(),
        tags=scene.expiration(),
    )


def _note(scene: Scene) -> Event:
    """Legacy comments, mentions, positional `e` tags and notes about nothing."""
    tags = scene.expiration()
    for mark in scene.some(("root", "reply", "mention", "", None), most=3):
        target = scene.one((scene.event(), scene.video()))
        tags.append(("e", target.id, *(("", mark) if mark is not None else ())))
    return a_note(scene.author(), at=scene.at_or_later(), tags=tags)


def _quote(scene: Scene) -> Event:
    kind = scene.one((Kind.NOTE, Kind.COMMENT, Kind.REPOST))
    return a_quote(scene.video(), scene.author(), kind=kind, via=scene.one(VIAS), at=scene.at())


def _repost(scene: Scene) -> Event:
    return a_repost(
        scene.video(),
        scene.author(),
        kind=scene.one((Kind.REPOST, Kind.GENERIC_REPOST)),
        via=scene.one(VIAS),
        embedded=scene.one((False, True)),
        at=scene.at_or_later(),
        tags=scene.expiration(),
    )


def _repost_what_never_came(scene: Scene) -> Event:
    """With a version of a video that only the repost carries, protected or forged at times."""
    known = scene.video()
    owner = next(author for author in scene.cast.all if author.pubkey == known.pubkey)
    d = address(known).split(":", 2)[2] if is_addressable(known.kind) else None
    tags: tuple[Tag, ...] = scene.one(((), (), (("-",),)))
    lost = a_video(owner, d, title="lost", at=scene.at(), kind=known.kind, tags=tags)
    carried = scene.one((lost, lost, forged(lost)))
    return a_repost(carried, scene.author(), via=scene.one(VIAS), embedded=True, at=scene.at())


def _delete(scene: Scene) -> Event:
    """By the author or by somebody else; of one event, of an address, of several at once."""
    targets = [scene.event() for _ in range(scene.one((1, 1, 2)))]
    owners = [author for author in scene.cast.all if author.pubkey == targets[0].pubkey]
    by = scene.one([*owners, *owners, *owners, scene.cast.mallory])
    tags = scene.expiration()
    tags += scene.one(([], [("e", UNKNOWN_ID), ("a", "34236:no")]))
    at = scene.one((scene.at(), targets[0].created_at - T))
    return a_deletion(*targets, by=by, via=scene.one(VIAS), at=at, tags=tags)


def _vanish(scene: Scene) -> Event:
    return a_vanish(scene.author(), scene.one(RELAYS), at=scene.at())


def _profile(scene: Scene) -> Event:
    return a_profile(scene.author(), name=scene.one(("one", "two")), at=scene.at())


def _follow(scene: Scene) -> Event:
    return follows(scene.author(), *scene.some(scene.cast.all, most=3), at=scene.at())


def _list(scene: Scene) -> Event:
    videos = [scene.video() for _ in range(scene.one((0, 1, 2)))]
    by = scene.one((scene.cast.bob, scene.cast.carol))
    kind, d = scene.one(LISTS), scene.one(("best", "best", ""))
    return bookmarks(by, *videos, kind=kind, d=d, via=scene.one(VIAS), at=scene.at())


def _zap(scene: Scene) -> Event:
    video, by = scene.video(), scene.author()
    millisats = scene.one((1_000_000, 1_000_000, 21, 0))
    asked = scene.one((None, None, millisats, 2_000_000))
    request = a_zap_request(video, by, amount=asked)
    return a_zap(
        video,
        by,
        invoice=an_invoice(millisats, scene.one((1, 1, 2))),
        request=scene.one((request, request, request, forged(request))),
        service=scene.one((lightning_service, scene.cast.mallory)),
        via=scene.one(VIAS),
        at=scene.at(),
    )


def _copy_a_zap(scene: Scene) -> Event:
    """The same invoice once more, from the same service or from somebody else."""
    receipts = [event for event in scene.events if event.kind == Kind.ZAP]
    if not receipts:
        return _zap(scene)
    service = scene.one((lightning_service, scene.cast.mallory))
    return an_event(Kind.ZAP, service, tags=scene.one(receipts).tags, at=scene.at())


def _report(scene: Scene) -> Event:
    type_ = scene.one(("nudity", "spam", "wss://relay.example.com", ""))
    return a_report(scene.video(), scene.author(), type_, via=scene.one(VIAS), at=scene.at())


def _label(scene: Scene) -> Event:
    namespace, label = scene.one((("ugc", "funny"), ("#t", "Scam"), ("content-warning", "gore")))
    return a_label(
        scene.video(), label, namespace, scene.author(), via=scene.one(VIAS), at=scene.at()
    )


def _view(scene: Scene) -> Event:
    return a_view(
        scene.video(),
        scene.one((scene.cast.bob, scene.cast.carol)),
        phase=scene.one(PHASES),
        loops=scene.one(LOOPS),
        session=scene.one(SESSIONS),
        via=scene.one(VIAS),
        at=scene.at(),
    )


def _wrap(scene: Scene) -> Event:
    tags = [("p", scene.author().pubkey)]
    return an_event(Kind.GIFT_WRAP, Author("wrapper"), tags=tags, at=scene.at())


def _anything_else(scene: Scene) -> Event:
    """Seals, zap requests, app data, ephemeral events: activity, or not even that."""
    kind = scene.one((Kind.SEAL, Kind.ZAP_REQUEST, 30_078, 20_001))
    tags = [("p", scene.author().pubkey), ("e", scene.event().id)]
    return an_event(kind, scene.author(), tags=tags, at=scene.at())


ACTS: tuple[Callable[[Scene], Event], ...] = (
    *[_publish] * 4,
    *[_edit] * 3,
    *[_react] * 4,
    *[_vote] * 2,
    *[_react_to_anything] * 2,
    *[_comment] * 2,
    *[_note] * 2,
    *[_repost] * 2,
    *[_delete] * 4,
    *[_view] * 3,
    *[_zap] * 2,
    *[_vanish] * 2,
    _wrap,
    *[_list] * 2,
    _copy_a_zap,
    _repost_what_never_came,
    _quote,
    _profile,
    *[_follow] * 5,
    _report,
    *[_label] * 2,
    _anything_else,
)


def _refusable(event: Event, mallory: Author) -> list[Event]:
    """Forgeries of an event, and one of its kind with a signed timestamp in milliseconds."""
    return [
        an_event(event.kind, mallory, tags=event.tags, at=T * 999),
        forged(event),
        forged(event, pubkey=mallory.pubkey, content="mine"),
        forged(event, sig="0" * 128),
        forged(event, created_at=event.created_at * 1_000),
    ]


def _scene(draw: st.DrawFn, cast: Cast, most_events: int) -> tuple[list[Event], list[Event]]:
    """What is delivered of one cast, repeats and forgeries among it, and what is missing."""
    scene = Scene(draw, cast)
    scene.events.append(_publish(scene))
    if scene.one((False, True)):
        # Somebody who is trusted by the settings, and two follows away.
        scene.events.append(follows(cast.dave, *scene.some(cast.all, most=3), cast.bob))
        scene.events.append(follows(cast.bob, *scene.some(cast.all, most=3), cast.carol))
    for _ in range(draw(st.integers(0, most_events - 1))):
        scene.events.append(scene.one(ACTS)(scene))
    distinct = list({event.id: event for event in scene.events}.values())

    # Few are missing, most of what an event names should be there; old versions more than others.
    videos = [event for event in distinct if event.kind in VIDEO_KINDS]
    missing = [
        *draw(st.lists(st.sampled_from(distinct), max_size=1)),
        *draw(st.lists(st.sampled_from(videos), max_size=1)),
    ]
    delivered = [event for event in distinct if event not in missing]
    repeated = draw(st.lists(st.sampled_from(distinct), max_size=5))
    deliveries = delivered + [event for event in repeated if event not in missing]
    for event in draw(st.lists(st.sampled_from(distinct), max_size=2)):
        deliveries.append(draw(st.sampled_from(_refusable(event, cast.mallory))))
    return deliveries, missing


@st.composite
def event_sets(draw: st.DrawFn, most_events: int = 40, casts: int = 1) -> EventSet:
    """Sets of up to `most_events` distinct events, shuffled, with repeats and forgeries.

    casts: how many such sets, of people who know nothing of each other, are delivered together.
    """
    scenes = [_scene(draw, Cast.numbered(number), most_events) for number in range(casts)]
    deliveries = [event for delivered, _ in scenes for event in delivered]
    missing = [event for _, gone in scenes for event in gone]
    now = draw(st.sampled_from(NOWS))
    if casts == 1:
        return EventSet(draw(st.permutations(deliveries)), now, missing)
    # One draw instead of one for each place.
    draw(st.randoms(use_true_random=False)).shuffle(deliveries)
    return EventSet(deliveries, now, missing)
