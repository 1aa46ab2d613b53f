"""A made-up world of videos, people who like them, and keys that are made to lift some of them.

The events are unsigned and go straight into ClickHouse: a hundred thousand signatures would take
longer than all else.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator

from funnel.clickhouse import Clickhouse
from funnel.nostr import Kind

A_DAY = 86_400
COLUMNS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig", "embedded")
CHUNK_EVENTS = 20_000
TOPICS = 20
# An event as `events_local` takes it.
Row = tuple[str, str, int, int, list[list[str]], str, str, int]


def name_of(*words: object) -> str:
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class World:
    """people of whom nine in ten are followed by somebody, and what they do with videos.

    The seeds are the first three of them. Nobody knows the keys, whose first events these are.
    """

    now: int
    people: int
    videos: int
    acts: int
    keys: int = 6_000
    lifted: int = 13

    @functools.cached_property
    def seeds(self) -> list[str]:
        return [self.person(number) for number in range(3)]

    def person(self, number: int) -> str:
        return name_of("person", number)

    @functools.cache  # noqa: B019 - a world lives as long as its test
    def video(self, number: int) -> tuple[str, str, int]:
        """(author, d tag, when it was published) of a video; all are of the last 29 days."""
        draw = random.Random(f"video {number}")
        born_at = self.now - 3_600 - draw.randrange(29 * A_DAY)
        return self.person(draw.randrange(self.people)), f"v{number}", born_at

    def address(self, number: int) -> str:
        author, d_tag, _ = self.video(number)
        return f"34236:{author}:{d_tag}"

    def honest_events(self) -> Iterator[Row]:
        draw = random.Random("world")
        followed = self.people * 9 // 10
        for number in range(self.people):
            person, since = self.person(number), self.now - 60 * A_DAY
            yield row(person, since, Kind.PROFILE, [])
            # Half are followed by a seed, the others by one of those.
            most = 50 if number < 3 else min(20, followed - 3)
            names = draw.sample(range(3, followed), min(most, followed - 3))
            if number < 3:
                names += [each for each in range(3, followed // 2) if each % 3 == number]
            elif number < followed // 2:
                names += [number + followed // 2]
            tags = [["p", self.person(each)] for each in names if each < followed]
            yield row(person, since + 1, Kind.FOLLOWS, tags)
        for number in range(self.videos):
            author, d_tag, born_at = self.video(number)
            tags = [["d", d_tag], ["t", f"topic {number % TOPICS}"]]
            yield row(author, born_at, Kind.ADDRESSABLE_SHORT_VIDEO, tags)
        kinds = (Kind.REACTION,) * 37 + (Kind.COMMENT,) * 8 + (Kind.GENERIC_REPOST,) * 4
        for number in range(self.acts):
            # A few videos get most of the attention.
            video = int(self.videos * draw.random() ** 2)
            at = draw.randrange(self.video(video)[2], self.now)
            by = self.person(draw.randrange(self.people))
            yield self.act(draw.choice(kinds), video, by, at, number)

    def bought_events(self) -> Iterator[Row]:
        """Each key likes each of the videos that get least of the attention."""
        for key, video in itertools.product(range(self.keys), range(self.lifted)):
            by, at = name_of("key", key), self.now - 1 - key % 3_600
            yield self.act(Kind.REACTION, self.videos - 1 - video, by, at)

    def act(self, kind: Kind, video: int, by: str, at: int, number: int = 0) -> Row:
        tag = "A" if kind == Kind.COMMENT else "a"
        return row(by, at, kind, [[tag, self.address(video)]], "+", number)

    @property
    def lifted_videos(self) -> set[str]:
        return {self.address(self.videos - 1 - number) for number in range(self.lifted)}


def row(
    by: str, at: int, kind: Kind, tags: list[list[str]], content: str = "", number: int = 0
) -> Row:
    return name_of(by, at, kind, tags, number), by, at, int(kind), tags, content, "", 0


def row_of_follows(world: World, number: int) -> Row:
    """A new follow list of a seed, which loses one that it followed with each number."""
    names = [world.person(each) for each in range(3 + number, world.people // 4)]
    tags = [["p", name] for name in names]
    return row(world.seeds[0], world.now - 3_000 + number, Kind.FOLLOWS, tags)


def insert(door: Clickhouse, events: Iterable[Row]) -> None:
    rows = iter(events)
    while chunk := list(itertools.islice(rows, CHUNK_EVENTS)):
        door.insert("events_local", COLUMNS, chunk)
