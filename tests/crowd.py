"""Really signed events of a large crowd, made thousands a second: for load, not for meaning."""

from __future__ import annotations

import hashlib
import random
from typing import NamedTuple

import orjson
from coincurve import PrivateKey

from funnel.nostr import Event, Kind, address_of, event_id, is_addressable

PEOPLE = 400
# Of so many events one is a video; the others are about the videos of the last while.
EVENTS_PER_VIDEO = 50
TALKED_ABOUT = 300
HASHTAGS = ("cats", "dogs", "music", "surf", "tea")

ACTIONS = ("react",) * 33 + ("comment",) * 8 + ("repost",) * 3 + ("profile",) + ("view",) * 4
WITHDRAWALS_PER_EVENT = 0.01


class Signed(NamedTuple):
    """An event and its JSON, as a relay keeps it."""

    event: Event
    json: bytes


class Crowd:
    """The same seed and times give the same events."""

    def __init__(self, seed: int | str) -> None:
        self._dice = random.Random(seed)
        keys = [PrivateKey(hashlib.sha256(f"crowd-{n}".encode()).digest()) for n in range(PEOPLE)]
        self._people = [(key, key.public_key_xonly.format().hex()) for key in keys]
        self._videos: list[Event] = []
        self._remarks: list[tuple[int, Event]] = []
        self._made = 0

    def next(self, at: int) -> Signed:
        """One more event, dated `at` (Unix seconds)."""
        self._made += 1
        if self._made % EVENTS_PER_VIDEO == 1:
            return self.video(at)
        if self._remarks and self._dice.random() < WITHDRAWALS_PER_EVENT:
            person, remark = self._remarks.pop(self._dice.randrange(len(self._remarks)))
            return self.sign(person, Kind.DELETION, at, [["e", remark.id]])
        action = self._dice.choice(ACTIONS)
        person = self._dice.randrange(PEOPLE)
        video = self._dice.choice(self._videos)
        signed: Signed = getattr(self, f"_{action}")(person, video, at)
        if action in {"react", "comment", "repost"} and len(self._remarks) < PEOPLE:
            self._remarks.append((person, signed.event))
        return signed

    def video(self, at: int) -> Signed:
        kind = self._dice.choice((34236, 34236, 22, 21, 34235))
        name = f"{self._dice.getrandbits(44):011x}"
        tags = [["d", name]] if is_addressable(kind) else []
        tags += [["title", f"Video {name}"], ["t", self._dice.choice(HASHTAGS)]]
        tags += [["imeta", f"url https://media.example/{name}.mp4", "m video/mp4", "duration 6"]]
        signed = self.sign(self._dice.randrange(PEOPLE), kind, at, tags, f"A video: {name}")
        self._videos.append(signed.event)
        del self._videos[:-TALKED_ABOUT]
        return signed

    def reaction(self, to: Event, by: int, at: int) -> Signed:
        """`by`: the number of one of the PEOPLE."""
        return self._react(by, to, at)

    def sign(
        self, person: int, kind: int, at: int, tags: list[list[str]], content: str = ""
    ) -> Signed:
        key, pubkey = self._people[person]
        digest = event_id(pubkey, at, kind, tags, content)
        # The fixed nonce makes runs repeatable (BIP-340 allows it); these keys guard nothing.
        signature = key.sign_schnorr(bytes.fromhex(digest), bytes(32)).hex()
        event = Event(digest, pubkey, at, int(kind), tags, content, signature)
        return Signed(event, orjson.dumps(event._asdict()))

    def _pointers(self, video: Event) -> list[list[str]]:
        address = address_of(video)
        return [["e", video.id]] + ([["a", str(address)]] if address else [])

    def _react(self, person: int, video: Event, at: int) -> Signed:
        content = self._dice.choice(("+", "+", "+", "-", "🔥"))
        tags = [*self._pointers(video), ["p", video.pubkey], ["k", str(video.kind)]]
        return self.sign(person, Kind.REACTION, at, tags, content)

    def _comment(self, person: int, video: Event, at: int) -> Signed:
        pointers = self._pointers(video)
        tags = [[name.upper(), value] for name, value in pointers] + [["K", str(video.kind)]]
        tags += [*pointers, ["k", str(video.kind)], ["p", video.pubkey]]
        return self.sign(person, Kind.COMMENT, at, tags, f"I like it {self._dice.random():.6f}")

    def _repost(self, person: int, video: Event, at: int) -> Signed:
        tags = [*self._pointers(video), ["k", str(video.kind)], ["p", video.pubkey]]
        return self.sign(person, Kind.GENERIC_REPOST, at, tags)

    def _profile(self, person: int, video: Event, at: int) -> Signed:
        profile = orjson.dumps({"name": f"person {person}", "about": f"since {at}"}).decode()
        return self.sign(person, Kind.PROFILE, at, [], profile)

    def _view(self, person: int, video: Event, at: int) -> Signed:
        tags = [*self._pointers(video), ["viewed", "0", "6"], ["loops", "1.5"]]
        return self.sign(person, Kind.VIEW, at, tags)
