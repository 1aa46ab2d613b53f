"""Signed events of a small video community, from a seed and the times that the caller names."""

from __future__ import annotations

import hashlib
import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import nostr_sdk

from funnel.nostr import Kind, is_addressable
from ingestion.demo.cast import COMMENTS, CREATORS, REPLIES, TOPICS, Person, Topic, people

DAY_SECONDS = 86_400
OPENING_DAYS = 5
OPENING_VIDEOS = 40
OPENING_STEPS = 560

# What a long run remembers, so that it can go on for days: the videos still being talked about,
# and what its author may still withdraw.
MAX_VIDEOS = 400
MAX_REMARKS = 400

# Most apps publish the addressable short form today; the other three kinds are out there too.
VIDEO_KINDS = (
    Kind.ADDRESSABLE_SHORT_VIDEO,
    Kind.ADDRESSABLE_SHORT_VIDEO,
    Kind.SHORT_VIDEO,
    Kind.ADDRESSABLE_SHORT_VIDEO,
    Kind.ADDRESSABLE_VIDEO,
    Kind.ADDRESSABLE_SHORT_VIDEO,
    Kind.VIDEO,
)
# Every tenth video is an import from an archive, with the counters that its author claims for it.
ARCHIVE_EVERY = 10

MAX_APPEAL = 25.0
REACTIONS = ("+", "+", "+", "+", "+", "+", "", "-", "🔥", "❤️", "😂", ":catjam:")
CATJAM_URL = "https://media.example/emoji/catjam.webp"
EDITS = ("better sound", "shorter", "with subtitles", "again")
VIEW_SOURCES = ("home", "discovery", "profile", "share", "search", "hashtag", "trending")

# What may happen at a moment, each with its weight.
Mix = Mapping[Callable[[int], nostr_sdk.Event], int]


@dataclass(slots=True)
class Video:
    """A video of the community; `event` is its current version."""

    author: Person
    kind: Kind
    topic: Topic
    d_tag: str
    title: str
    published_at: int
    event: nostr_sdk.Event
    seconds: float
    appeal: float

    @property
    def id(self) -> str:
        return str(self.event.id().to_hex())

    @property
    def address(self) -> str:
        """`kind:pubkey:d` (NIP-01), empty for the regular kinds 21 and 22."""
        return f"{self.kind}:{self.author.pubkey}:{self.d_tag}" if is_addressable(self.kind) else ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A reaction, comment or repost that its author may withdraw."""

    author: Person
    video: Video
    event: nostr_sdk.Event

    @property
    def kind(self) -> int:
        return int(self.event.kind().as_u16())


def sign(
    person: Person, kind: int, *, at: int, tags: list[list[str]], content: str = ""
) -> nostr_sdk.Event:
    builder = nostr_sdk.EventBuilder(nostr_sdk.Kind(kind), content)
    builder = builder.tags([nostr_sdk.Tag.parse(tag) for tag in tags])
    builder = builder.custom_created_at(nostr_sdk.Timestamp.from_secs(at))
    event = builder.finalize_unsigned(nostr_sdk.PublicKey.parse(person.pubkey)).ensure_id()
    # nostr-sdk signs with a fresh nonce each time; a repost quotes the signature of another event,
    # so ids would differ from run to run. A fixed one is as valid (BIP-340) for keys worth nothing.
    signature = person.key.sign_schnorr(bytes.fromhex(event.id().to_hex()), bytes(32))
    return event.add_signature(signature.hex())


class EventGenerator:
    """The same seed and the same times give the same events, byte for byte.

    Times are Unix seconds and must not run backwards.
    """

    def __init__(self, *, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose, no secret
        self.people = people()
        self.creators = self.people[:CREATORS]
        self.videos: deque[Video] = deque(maxlen=MAX_VIDEOS)
        self.remarks: deque[Remark] = deque(maxlen=MAX_REMARKS)
        self.published_videos = 0
        self.history: Mix = {
            self.react: 50,
            self.comment: 22,
            self.repost: 12,
            self.publish_video: 6,
            self.edit_video: 4,
            self.withdraw: 4,
            self.follow: 2,
        }
        # View events are ephemeral: a relay does not keep them, so they belong to the present only.
        self.present: Mix = {**self.history, self.view: 40, self.introduce: 1}

    def opening(self, now: int) -> list[nostr_sdk.Event]:
        """What the past days brought, oldest first: several hundred events, none after `now`."""
        start = now - OPENING_DAYS * DAY_SECONDS
        events = [self.introduce(start, person) for person in self.people]
        events += [self.follow(start, person) for person in self.people]
        moments = sorted(
            self.random.randrange(start, now) for _ in range(OPENING_VIDEOS + OPENING_STEPS)
        )
        # The videos are spread over all the days, so that some are fresh and some are fading.
        video_every = len(moments) // OPENING_VIDEOS
        for step, moment in enumerate(moments):
            if step % video_every == 0:
                events.append(self.publish_video(moment))
            else:
                events.append(self.step(moment, self.history))
        return events

    def next_event(self, now: int) -> nostr_sdk.Event:
        """One more event, created at `now`."""
        return self.step(now, self.present)

    def step(self, at: int, mix: Mix) -> nostr_sdk.Event:
        if not self.videos:
            return self.publish_video(at)
        (action,) = self.random.choices(list(mix), weights=list(mix.values()))
        return action(at)

    # --- Videos (NIP-71) --------------------------------------------------------------------------

    def publish_video(self, at: int) -> nostr_sdk.Event:
        number = self.published_videos
        self.published_videos += 1
        author = self.random.choice(self.creators)
        topic = self.random.choice(TOPICS)
        archived = number % ARCHIVE_EVERY == ARCHIVE_EVERY - 1
        kind = Kind.ADDRESSABLE_SHORT_VIDEO if archived else VIDEO_KINDS[number % len(VIDEO_KINDS)]
        d_tag = f"{self.random.getrandbits(44):011x}"
        title = self.random.choice(topic.titles)
        seconds = round(self.random.uniform(4, 6.5), 2)
        # Ten years back: what an archive holds was published long before it was imported.
        published_at = at - 10 * 365 * DAY_SECONDS if archived else at
        tags = self.video_tags(
            kind, topic, d_tag, title, published_at, seconds, flat_imeta=number % 2 == 1
        )
        if archived:
            tags += [["platform", "vine"], ["loops", str(self.random.randrange(10_000, 9_000_000))]]
            tags += [["likes", str(self.random.randrange(100, 90_000))]]
            tags += [["comments", str(self.random.randrange(10, 900))]]
            tags += [["reposts", str(self.random.randrange(10, 9_000))]]
        event = sign(author, kind, at=at, tags=tags, content=f"{title} #{topic.hashtags[0]}")
        # Attention is uneven: a few videos get most of it.
        appeal = min(self.random.paretovariate(1), MAX_APPEAL)
        self.videos.append(
            Video(author, kind, topic, d_tag, title, published_at, event, seconds, appeal)
        )
        return event

    def edit_video(self, at: int) -> nostr_sdk.Event:
        """A new version at the same address; where nothing can be edited, a reaction."""
        editable = [
            video
            for video in self.videos
            if video.address and video.event.created_at().as_secs() < at
        ]
        if not editable:
            return self.react(at)
        video = self.random.choice(editable)
        tags = [tag.to_vec() for tag in video.event.tags()]
        title = f"{video.title} ({self.random.choice(EDITS)})"
        tags = [["title", title] if tag[0] == "title" else tag for tag in tags]
        video.event = sign(
            video.author, video.kind, at=at, tags=tags, content=video.event.content()
        )
        return video.event

    def video_tags(
        self,
        kind: Kind,
        topic: Topic,
        d_tag: str,
        title: str,
        published_at: int,
        seconds: float,
        *,
        flat_imeta: bool,
    ) -> list[list[str]]:
        upright = kind in (Kind.SHORT_VIDEO, Kind.ADDRESSABLE_SHORT_VIDEO)
        sha256 = hashlib.sha256(f"{d_tag} {title}".encode()).hexdigest()
        media = {
            "url": f"https://media.example/{sha256}.mp4",
            "m": "video/mp4",
            "x": sha256,
            "dim": "720x1280" if upright else "1920x1080",
            "image": f"https://media.example/{sha256}.jpg",
            "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "duration": str(seconds),
        }
        # NIP-92's "key value" items, and the flat form that web clients write.
        imeta = (
            [part for pair in media.items() for part in pair]
            if flat_imeta
            else [f"{key} {value}" for key, value in media.items()]
        )
        tags = [["d", d_tag]] if is_addressable(kind) else []
        tags += [["title", title], ["published_at", str(published_at)], ["imeta", *imeta]]
        tags += [["alt", f"Video: {title}"]]
        return tags + [["t", hashtag] for hashtag in topic.hashtags]

    # --- What others make of them -----------------------------------------------------------------

    def react(self, at: int) -> nostr_sdk.Event:
        """NIP-25, in the ways that clients name the video: by `e` and `a`, by either alone."""
        person, video = self.random.choice(self.people), self.pick_video()
        content = self.random.choice(REACTIONS)
        by_event, by_address = [["e", video.id]], [["a", video.address]]
        tags = [["p", video.author.pubkey], ["k", str(video.kind.value)]]
        if video.address:
            tags = self.random.choice((by_event + by_address, by_event, by_address)) + tags
        else:
            tags = by_event + tags
        if content == ":catjam:":
            tags.append(["emoji", "catjam", CATJAM_URL])
        event = sign(person, Kind.REACTION, at=at, tags=tags, content=content)
        self.remarks.append(Remark(person, video, event))
        return event

    def comment(self, at: int) -> nostr_sdk.Event:
        """NIP-22, on the video or on a comment, and the older kind 1 form (NIP-10)."""
        person, video = self.random.choice(self.people), self.pick_video()
        form = self.random.choice(("comment", "comment", "reply", "note"))
        parents = [
            remark
            for remark in self.remarks
            if remark.video is video and remark.kind == Kind.COMMENT
        ]
        content = self.random.choice(COMMENTS)
        author, kind = video.author.pubkey, str(video.kind.value)
        root = [["A", video.address]] if video.address else [["E", video.id, "", author]]
        root += [["K", kind], ["P", author]]
        if form == "note":
            tags = [["e", video.id, "", "root"], ["p", author]]
            event = sign(person, Kind.NOTE, at=at, tags=tags, content=content)
        elif form == "reply" and parents:
            parent = self.random.choice(parents)
            tags = [*root, ["e", parent.event.id().to_hex(), "", parent.author.pubkey]]
            tags += [["k", str(Kind.COMMENT.value)], ["p", parent.author.pubkey]]
            content = self.random.choice(REPLIES)
            event = sign(person, Kind.COMMENT, at=at, tags=tags, content=content)
        else:
            direct = [["a", video.address]] if video.address else []
            direct += [["e", video.id, "", author], ["k", kind], ["p", author]]
            event = sign(person, Kind.COMMENT, at=at, tags=root + direct, content=content)
        self.remarks.append(Remark(person, video, event))
        return event

    def repost(self, at: int) -> nostr_sdk.Event:
        """NIP-18: kind 16 by `a` alone (as video apps send it) or with the event, and kind 6."""
        person, video = self.random.choice(self.people), self.pick_video()
        kind = self.random.choice((Kind.GENERIC_REPOST, Kind.GENERIC_REPOST, Kind.REPOST))
        tags = [["p", video.author.pubkey]]
        if kind == Kind.REPOST:
            tags, content = [["e", video.id], *tags], video.event.as_json()
        elif video.address and self.random.random() < 0.6:
            tags, content = [["a", video.address], ["k", str(video.kind.value)], *tags], ""
        else:
            tags = [["e", video.id], ["k", str(video.kind.value)], *tags]
            content = video.event.as_json()
        event = sign(person, kind, at=at, tags=tags, content=content)
        self.remarks.append(Remark(person, video, event))
        return event

    def withdraw(self, at: int) -> nostr_sdk.Event:
        """NIP-09: mostly a remark, now and then a whole video by `e` or by `a`."""
        if self.remarks and self.random.random() < 0.85:
            remark = self.random.choice(self.remarks)
            self.remarks.remove(remark)
            tags = [["e", remark.event.id().to_hex()], ["k", str(remark.kind)]]
            return sign(remark.author, Kind.DELETION, at=at, tags=tags)
        if len(self.videos) < OPENING_VIDEOS // 2:
            return self.react(at)
        video = self.random.choice(self.videos)
        self.videos.remove(video)
        target = ["a", video.address] if video.address else ["e", video.id]
        tags = [target, ["k", str(video.kind.value)]]
        return sign(video.author, Kind.DELETION, at=at, tags=tags, content="posted by mistake")

    def view(self, at: int) -> nostr_sdk.Event:
        """Kind 22236, the clients' telemetry: the seconds that were watched, and the loops."""
        person, video = self.random.choice(self.people), self.pick_video()
        watched = self.random.uniform(0, 3 * video.seconds)
        tags = [["a", video.address, ""]] if video.address else []
        tags += [["e", video.id, ""], ["viewed", "0", str(round(watched))]]
        tags += [["loops", f"{watched / video.seconds:.2f}"]]
        tags += [["source", self.random.choice(VIEW_SOURCES)], ["client", "funnel-demo"]]
        return sign(person, Kind.VIEW, at=at, tags=tags)

    # --- People -----------------------------------------------------------------------------------

    def introduce(self, at: int, person: Person | None = None) -> nostr_sdk.Event:
        """A profile (kind 0); a later one replaces the earlier."""
        person = person or self.random.choice(self.people)
        topic = self.random.choice(TOPICS)
        profile = {
            "name": person.name.lower(),
            "display_name": person.name,
            "about": f"Here for #{topic.hashtags[0]}.",
            "picture": f"https://media.example/people/{person.name.lower()}.jpg",
        }
        content = json.dumps(profile)
        return sign(person, Kind.PROFILE, at=at, tags=[], content=content)

    def follow(self, at: int, person: Person | None = None) -> nostr_sdk.Event:
        """A follow list (kind 3, NIP-02): the whole list each time."""
        person = person or self.random.choice(self.people)
        followed = self.random.sample(self.creators, k=self.random.randrange(2, 9))
        tags = [["p", other.pubkey] for other in followed if other is not person]
        return sign(person, Kind.FOLLOWS, at=at, tags=tags)

    def pick_video(self) -> Video:
        (video,) = self.random.choices(self.videos, weights=[video.appeal for video in self.videos])
        return video
