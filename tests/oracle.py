"""The naive oracle: every answer about a set of events, in plain Python, written from the NIPs.

It is slow and says each rule once, so that it can be read against the NIPs; the engine must agree
with it. An answer depends on the accepted events (their order and repetition do not matter), on
`now` and on the configuration, and on nothing else. Comments that begin with "Choice:" mark what
the NIPs leave open.
"""

from __future__ import annotations

import functools
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import nostr_sdk

from funnel.nostr import (
    FUTURE_TOLERANCE_SECONDS,
    VIDEO_KINDS,
    Event,
    Kind,
    is_addressable,
    is_ephemeral,
    is_replaceable,
)

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
TRENDING_WINDOW_SECONDS = 30 * DAY_SECONDS
TRENDING_DECAY_HOURS = 168
# What one person's act on a video is worth to its place among the trending ones.
REACTION_WORTH, COMMENT_WORTH, REPOST_WORTH = 1, 2, 3

HEX_64 = re.compile(r"[0-9a-f]{64}")
HEX_128 = re.compile(r"[0-9a-f]{128}")
DIGITS = re.compile(r"[0-9]+")
KIND = re.compile(r"0|[1-9][0-9]{0,4}")
DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
DIMENSIONS = re.compile(r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")
SHORTCODE = re.compile(r":([A-Za-z0-9_-]+):")
# Choice: an emoji is one to sixteen code points of this alphabet (pictographs, what joins them,
# keycap bases) with a pictograph among them. Any other text is a reaction without a class.
PICTOGRAPH = (
    "\u00a9\u00ae\u203c\u2049\u20e3\u2122\u2139\u2190-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff"
)
EMOJI = re.compile(
    rf"(?=.*[{PICTOGRAPH}])[0-9#*\u200d\U000e0020-\U000e007f{PICTOGRAPH}]{{1,16}}", re.DOTALL
)
VARIATION_SELECTOR = "\ufe0f"
# Choice: what is no web address is no medium: some archives write keys where the URL belongs.
WEB_ADDRESS = re.compile(r"https?://")
ENTITY = re.compile(r"(?i)(nostr:)?(npub|nprofile|note|nevent|naddr|nsec)1[02-9ac-hj-np-z]{20,}")
SCRIPTS_WITHOUT_SPACES = (
    *("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO"),
    *("THAI", "LAO", "KHMER", "MYANMAR"),
)
# Choice: white space round a hashtag is ASCII white space.
ASCII_WHITESPACE = " \t\n\r\f\v"

# Networks of BOLT 11; an upper-case invoice (QR code) is the same invoice.
INVOICE = re.compile(r"ln(?:bcrt|bc|tbs|tb)(?:([0-9]+)([munp]?))?")
MILLISATS_PER_UNIT = {"": 10**11, "m": 10**8, "u": 10**5, "n": 10**2}
ALL_MILLISATS = 21 * 10**6 * 10**11

REPORT_TYPES = frozenset(
    ("nudity", "malware", "profanity", "illegal", "spam", "impersonation", "other")
)
# Signers of seals, gift wraps and zap receipts are not people (D9).
NOT_PEOPLE = (Kind.SEAL, Kind.GIFT_WRAP, Kind.ZAP)
PROFILE_FIELDS = (
    "name",
    "display_name",
    "about",
    "picture",
    "banner",
    "nip05",
    "lud16",
    "website",
)
# Choice: a self-declared counter beyond this is no counter.
MAX_EMBEDDED_COUNT = 10**15


@dataclass(frozen=True, slots=True)
class Config:
    """What an answer depends on besides the events and the clock.

    `own_urls` are the service's own URLs and its upstream relays (NIP-62); `vanished` holds
    requests to vanish that came on paper, as (pubkey, until in Unix seconds). Caps of views are
    per viewer, video and UTC day. `trust_seeds` are pubkeys whose word is taken for others, over
    `trust_hops` follows at most; without any, everybody has the same standing.
    """

    own_urls: tuple[str, ...] = ("wss://relay.example.com", "https://funnel.example.com")
    vanished: tuple[tuple[str, int], ...] = ()
    future_tolerance_seconds: int = FUTURE_TOLERANCE_SECONDS
    trusted_labelers: frozenset[str] = frozenset()
    zap_signers: frozenset[str] = frozenset()
    trust_seeds: frozenset[str] = frozenset()
    trust_hops: int = 2
    history_seconds: int = DAY_SECONDS
    views_per_day: int = 100
    loops_per_view: int = 1_000
    loops_per_day: int = 10_000


@dataclass(frozen=True, slots=True)
class Totals:
    events: int
    videos: int
    vine_videos: int


@dataclass(frozen=True, slots=True)
class Video:
    """A live video as its current version describes it; times are Unix seconds."""

    key: str
    address: str | None
    id: str
    pubkey: str
    kind: int
    created_at: int
    published: int
    title: str
    description: str
    video_url: str
    thumbnail: str
    duration_seconds: float | None
    dimensions: str
    blurhash: str
    sha256: str
    hashtags: tuple[str, ...]
    sensitive: bool
    content_warning: str
    platform: str
    embedded_loops: int | None
    embedded_likes: int | None
    embedded_comments: int | None
    embedded_reposts: int | None


@dataclass(frozen=True, slots=True)
class Stats:
    """What people did with a live video.

    `emojis` counts pubkeys by emoji or `:shortcode:`; `emoji_images` counts them by (emoji or
    `:shortcode:`, image URL), the URL being "" for a plain emoji. `plain_score` and `trusted_score`
    are what the video trends by before it fades, with every voice alike and with trusted ones.
    """

    key: str
    address: str | None
    id: str
    title: str
    published: int
    reactions: int
    likes: int
    dislikes: int
    emojis: dict[str, int]
    emoji_images: dict[tuple[str, str], int]
    comments: int
    reposts: int
    quotes: int
    zaps_verified: int
    zaps_unverified: int
    zap_msat_verified: int
    zap_msat_unverified: int
    zappers: int
    bookmarks: int
    reports: dict[str, int]
    labels: dict[tuple[str, str], int]
    views: int
    unique_viewers: int
    loops: float
    engagement_score: int
    plain_score: int
    trusted_score: float
    trending_score: float


@dataclass(frozen=True, slots=True)
class Hashtag:
    hashtag: str
    video_count: int
    unique_creators: int


@dataclass(frozen=True, slots=True)
class Creator:
    pubkey: str
    video_count: int
    engagement_score: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The current kind 0 of a pubkey; `fields` has every name of PROFILE_FIELDS, "" if unknown."""

    pubkey: str
    id: str
    created_at: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Zap:
    receipt: Event
    target: str
    invoice: str
    sender: str
    millisats: int
    verified: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """video_key: "" of a follow. parent: the comment that a reply replies to, else ""."""

    type: str
    event_id: str
    actor: str
    created_at: int
    video_key: str
    parent: str


# --- Validity (NIP-01) ---------------------------------------------------------------------------


def accept(raw: object) -> Event | None:
    """The event that `raw` (decoded JSON) is, or None where it is malformed, forged or ephemeral.

    View events (kind 22236) are accepted: they are telemetry, kept apart from the other events.
    """
    event = verified(raw)
    if event is None or (is_ephemeral(event.kind) and event.kind != Kind.VIEW):
        return None
    return event


def verified(raw: object) -> Event | None:
    """The event that `raw` (decoded JSON) is, or None where shape, id or signature is wrong."""
    if not isinstance(raw, dict):
        return None
    id_, pubkey, sig = raw.get("id"), raw.get("pubkey"), raw.get("sig")
    created_at, kind = raw.get("created_at"), raw.get("kind")
    tags, content = raw.get("tags"), raw.get("content")
    if not (isinstance(id_, str) and HEX_64.fullmatch(id_)):
        return None
    if not (isinstance(pubkey, str) and HEX_64.fullmatch(pubkey)):
        return None
    if not (isinstance(sig, str) and HEX_128.fullmatch(sig)):
        return None
    # bool is an int for isinstance, and no JSON number that reads as a float is an integer.
    if type(created_at) is not int or not 0 <= created_at < 2**32:
        return None
    if type(kind) is not int or not 0 <= kind <= 65_535:
        return None
    if not isinstance(content, str) or not isinstance(tags, list):
        return None
    for tag in tags:
        if not isinstance(tag, list) or not tag or not all(isinstance(item, str) for item in tag):
            return None
    event = Event(id_, pubkey, created_at, kind, tags, content, sig)
    text = json.dumps({name: raw[name] for name in Event._fields}, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return event if _signature_holds(text) else None


@functools.lru_cache(maxsize=65_536)
def _signature_holds(text: str) -> bool:
    try:
        return bool(nostr_sdk.Event.from_json(text).verify())
    except nostr_sdk.NostrSdkError:
        return False


def carried_event(text: str) -> Event | None:
    """The valid event whose JSON `text` is (zap requests, reposts), if it is one."""
    try:
        return verified(json.loads(text))
    except (ValueError, RecursionError):
        return None


# --- Tags, addresses, keys -----------------------------------------------------------------------


def values(event: Event, name: str) -> list[str]:
    """The second item of every tag of that name, "" where it has none."""
    return [tag[1] if len(tag) > 1 else "" for tag in event.tags if tag[0] == name]


def first(event: Event, name: str) -> str:
    """The value of the first tag of that name, "" where there is none."""
    return next(iter(values(event, name)), "")


def item(tag: list[str], index: int) -> str:
    return tag[index] if len(tag) > index else ""


def natural(text: str) -> int | None:
    """The number that a string of ASCII digits is; no rule tells numbers beyond 10^24 apart."""
    return int(text.lstrip("0")[:25] or "0") if DIGITS.fullmatch(text) else None


def last_id(event: Event, name: str) -> str | None:
    valid = [value for value in values(event, name) if HEX_64.fullmatch(value)]
    return valid[-1] if valid else None


def address_of(event: Event) -> str | None:
    """`kind:pubkey:d` for addressable events, `kind:pubkey:` for replaceable ones, else None."""
    if is_addressable(event.kind):
        return f"{event.kind}:{event.pubkey}:{first(event, 'd')}"
    if is_replaceable(event.kind):
        return f"{event.kind}:{event.pubkey}:"
    return None


def key_of(event: Event) -> str:
    return address_of(event) or event.id


def parse_address(value: str) -> tuple[int, str, str] | None:
    """(kind, pubkey, d) of an `a` value, None where it is not `kind:pubkey:d`."""
    parts = value.split(":", 2)
    if len(parts) != 3:
        return None
    kind, pubkey, d = parts
    if not KIND.fullmatch(kind) or not HEX_64.fullmatch(pubkey):
        return None
    if not (is_addressable(int(kind)) or is_replaceable(int(kind))):
        return None
    return int(kind), pubkey, d


def is_video_address(value: str) -> bool:
    address = parse_address(value)
    return address is not None and address[0] in VIDEO_KINDS


def last_video_address(event: Event) -> str | None:
    # Choice: of several valid addresses the last one counts, as of several `e` tags.
    valid = [value for value in values(event, "a") if is_video_address(value)]
    return valid[-1] if valid else None


# --- What the current version of a video says (NIP-71, NIP-92, NIP-36, NIP-24) -------------------


def imetas(event: Event) -> list[dict[str, list[str]]]:
    """Every `imeta` tag with a `url` as {property: values}, from either of its two encodings."""
    found = []
    for tag in event.tags:
        if tag[0] != "imeta":
            continue
        if " " in item(tag, 1):
            pairs = [entry.partition(" ")[::2] for entry in tag[1:]]
        else:
            pairs = list(zip(tag[1::2], tag[2::2], strict=False))
        properties: dict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            if value.strip(ASCII_WHITESPACE):
                properties[name].append(value.strip(ASCII_WHITESPACE))
        if WEB_ADDRESS.match((properties["url"] or [""])[0]):
            found.append(properties)
    return found


def is_playable(properties: dict[str, list[str]]) -> bool:
    media_type = properties.get("m", [""])[0].lower()
    return media_type in ("", "application/x-mpegurl") or media_type.startswith("video/")


def duration_seconds(text: str) -> float | None:
    # Choice: zero says nothing, and a video of more than a day is absurd.
    if not DECIMAL.fullmatch(text) or not 0 < float(text) <= DAY_SECONDS:
        return None
    return float(text)


def embedded_count(event: Event, name: str) -> int | None:
    count = natural(first(event, name))
    return count if count is not None and count <= MAX_EMBEDDED_COUNT else None


def normalised_hashtag(value: str) -> str:
    text = value.strip(ASCII_WHITESPACE).removeprefix("#").strip(ASCII_WHITESPACE)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def searchable(text: str) -> str:
    """The text as a search compares it: without case, accents, invisible characters, styles."""
    text = re.sub("[\u2018\u2019\u02bc\u00b4`]", "'", text)
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = (
        character
        for character in unicodedata.normalize("NFD", text)
        if not ("\u0300" <= character <= "\u036f" or "\ufe00" <= character <= "\ufe0f")
        and unicodedata.category(character) != "Cf"
    )
    return unicodedata.normalize("NFKC", "".join(kept))


def is_border(text: str, place: int) -> bool:
    """Whether no word goes on from the character before the place to the one behind it."""
    return not all(map(is_of_a_word, (text[place - 1 : place], text[place : place + 1])))


def is_of_a_word(character: str) -> bool:
    # Choice: a letter of a script that puts no spaces between words is a word by itself.
    return (
        character != ""
        and unicodedata.category(character)[0] in "LMN"
        and not unicodedata.name(character, "").startswith(SCRIPTS_WITHOUT_SPACES)
    )


def content_warning(event: Event) -> str | None:
    """The reason that an event gives for its warning, "" for none given, None for no warning."""
    labels = [tag for tag in event.tags if tag[0] == "l" and item(tag, 2) == "content-warning"]
    # Choice: the first tag's reason; the first self-label speaks where the tag says nothing.
    reasons = values(event, "content-warning")[:1] + [item(label, 1) for label in labels[:1]]
    return next((reason for reason in reasons if reason), "") if reasons else None


# --- Invoices (BOLT 11) --------------------------------------------------------------------------


def invoice_millisats(invoice: str) -> int | None:
    """What a BOLT 11 invoice asks for in millisats, 0 for any amount, None for no invoice."""
    prefix, separator, _ = invoice.lower().rpartition("1")
    match = INVOICE.fullmatch(prefix)
    if not separator or match is None:
        return None
    amount, unit = natural(match[1] or ""), match[2]
    if amount is None:
        return 0
    if unit == "p":
        # A tenth of a millisat cannot be asked for.
        millisats = amount // 10 if amount % 10 == 0 else None
    else:
        millisats = amount * MILLISATS_PER_UNIT[unit]
    # Choice: more bitcoin than there will ever be is no invoice.
    return millisats if millisats is not None and millisats <= ALL_MILLISATS else None


# --- The oracle ----------------------------------------------------------------------------------


class Oracle:
    """Answers every question about `events`, accepted ones in any order, as of `now` (seconds)."""

    def __init__(self, events: Iterable[Event], now: int, config: Config | None = None) -> None:
        self.now = now
        self.config = config or Config()
        accepted = {event.id: event for event in events}
        due = [event for event in accepted.values() if self._is_due(event)]
        self.barriers = self._vanish_barriers(due)
        effective = [event for event in due if not self._is_vanished(event)]
        # Effective: due and not vanished; deleted, expired and superseded ones among them.
        self.events = {event.id: event for event in effective if not is_ephemeral(event.kind)}
        self.view_events = [event for event in effective if event.kind == Kind.VIEW]

        self.deleted = self._deleted_ids()
        self.versions: dict[str, list[Event]] = defaultdict(list)
        for event in self.events.values():
            self.versions[key_of(event)].append(event)
        # D1: the newest version decides, even if it is deleted or expired. Ties: the lowest id.
        self.current = {
            key: min(versions, key=lambda event: (-event.created_at, event.id))
            for key, versions in self.versions.items()
        }
        # Choice: every effective version of a video is an alias, deleted and expired ones too.
        self.aliases = {
            event.id: key_of(event) for event in self.events.values() if event.kind in VIDEO_KINDS
        }
        self.live_videos = {
            key: event
            for key, event in self.current.items()
            if event.kind in VIDEO_KINDS and self._is_live(event)
        }
        self.standing = self._standing()
        self.first_seen: dict[str, int] = {}
        for event in self.events.values():
            # Choice: a request to vanish is kept as the proof, and is no history.
            if event.kind not in (*NOT_PEOPLE, Kind.VANISH):
                seen = self.first_seen.get(event.pubkey, event.created_at)
                self.first_seen[event.pubkey] = min(seen, event.created_at)
        self._engage()

    # States of an event

    def _is_due(self, event: Event) -> bool:
        return event.created_at <= self.now + self.config.future_tolerance_seconds

    def _vanish_barriers(self, due: list[Event]) -> dict[str, int]:
        """For each vanished pubkey the second up to which (inclusive) nothing of it remains."""
        own_places = {self._place(url) for url in self.config.own_urls}
        barriers: dict[str, int] = {}
        for pubkey, until in self.config.vanished:
            barriers[pubkey] = max(until, barriers.get(pubkey, 0))
        for request in due:
            if request.kind != Kind.VANISH:
                continue
            for relay in values(request, "relay"):
                if relay == "ALL_RELAYS" or self._place(relay) in own_places:
                    until = max(request.created_at, barriers.get(request.pubkey, 0))
                    barriers[request.pubkey] = until
        return barriers

    @staticmethod
    def _place(url: str) -> tuple[str, str]:
        # Choice: any scheme, host without case, port as written, path without its last slashes.
        try:
            parts = urlsplit(url)
        except ValueError:
            return "", url
        return parts.netloc.lower(), parts.path.rstrip("/")

    def _is_vanished(self, event: Event) -> bool:
        if event.kind == Kind.VANISH:
            return False
        people = [event.pubkey]
        if event.kind == Kind.GIFT_WRAP:
            # Wraps are signed by random keys: they vanish with the person that they are for.
            people += values(event, "p")
        return any(event.created_at <= self.barriers.get(pubkey, -1) for pubkey in people)

    def _deleted_ids(self) -> set[str]:
        deleted: set[str] = set()
        until: dict[str, int] = {}
        # Every effective request counts, live or not: neither a deletion nor an expiration undoes
        # a request (NIP-09, D10). Requests to vanish are read in the same way.
        for request in self._of_kinds(Kind.DELETION):
            for id_ in values(request, "e"):
                target = self.events.get(id_)
                if target is not None and target.pubkey == request.pubkey:
                    deleted.add(id_)
            for value in values(request, "a"):
                address = parse_address(value)
                if address is not None and address[1] == request.pubkey:
                    until[value] = max(request.created_at, until.get(value, 0))
        for event in self.events.values():
            if event.created_at <= until.get(address_of(event) or "", -1):
                deleted.add(event.id)
        return deleted

    def _is_expired(self, event: Event) -> bool:
        expiration = natural(first(event, "expiration"))
        return expiration is not None and expiration <= self.now

    def _is_live(self, event: Event) -> bool:
        """Neither deleted nor expired; whether it is also current, only `current` knows."""
        return event.id not in self.deleted and not self._is_expired(event)

    def _of_kinds(self, *kinds: int) -> Iterator[Event]:
        return (event for event in self.events.values() if event.kind in kinds)

    def _live_of_kinds(self, *kinds: int) -> Iterator[Event]:
        return (event for event in self._of_kinds(*kinds) if self._is_live(event))

    def _live_current(self, *kinds: int) -> Iterator[Event]:
        return (
            event for event in self.current.values() if event.kind in kinds and self._is_live(event)
        )

    # What an event is about

    def _address_or_alias(self, event: Event) -> str | None:
        """The last valid video address, else the video that the last valid `e` is a version of."""
        return last_video_address(event) or self.aliases.get(last_id(event, "e") or "")

    def _all_targets(self, event: Event) -> set[str]:
        """Every video that an `a` or `e` tag names."""
        addresses = {value for value in values(event, "a") if is_video_address(value)}
        return addresses | {self.aliases[id_] for id_ in values(event, "e") if id_ in self.aliases}

    def _reaction_target(self, event: Event) -> str | None:
        target = last_id(event, "e")
        # Choice: known is every effective event of any kind, deleted and expired ones too.
        if target is not None and target in self.events:
            return self.aliases.get(target)
        address = last_video_address(event)
        # Choice: the first `k` tag; an empty one is as good as none.
        hint = first(event, "k")
        if address is None or hint not in ("", address.split(":")[0]):
            return None
        return address

    def _comment_root(self, event: Event) -> str | None:
        if event.kind == Kind.NOTE:
            return self.aliases.get(self._note_root(event) or "")
        # Choice: the first valid video `A`, else the first valid `E` (a comment has one root).
        for value in values(event, "A"):
            if is_video_address(value):
                return value
        for value in values(event, "E"):
            if HEX_64.fullmatch(value):
                return self.aliases.get(value)
        return None

    @staticmethod
    def _note_root(event: Event) -> str | None:
        """NIP-10: marked `root`, then `reply`; without marks the first `e`."""
        marked: dict[str, list[str]] = defaultdict(list)
        for tag in event.tags:
            if tag[0] == "e" and HEX_64.fullmatch(item(tag, 1)):
                mark = item(tag, 3)
                # Choice: an unknown mark is no mark; `a` tags of notes are not read.
                marked[mark if mark in ("root", "reply", "mention") else ""].append(tag[1])
        candidates = marked["root"] or marked["reply"] or marked[""]
        return candidates[0] if candidates else None

    def _repost_target(self, event: Event) -> str | None:
        carried = carried_event(event.content)
        if carried is not None and any(tag[0] == "-" for tag in carried.tags):
            return None  # NIP-70: a protected event must not be embedded
        # Choice: a version that never came names no video, though the repost carries it.
        return self._address_or_alias(event)

    def _quoted(self, event: Event) -> set[str]:
        """Choice: every `q` tag counts, a note may quote several videos."""
        return {
            value if is_video_address(value) else self.aliases[value]
            for value in values(event, "q")
            if is_video_address(value) or value in self.aliases
        }

    def _zap(self, receipt: Event) -> Zap | None:
        request = carried_event(first(receipt, "description"))
        if request is None or request.kind != Kind.ZAP_REQUEST:
            return None
        target = self._address_or_alias(receipt)
        invoice = first(receipt, "bolt11").lower()
        millisats = invoice_millisats(invoice)
        if target is None or millisats is None:
            return None
        asked = values(request, "amount")[:1]
        # Choice: an amount that cannot be read, or asked of an invoice without one, is unequal.
        if asked and (natural(asked[0]) != millisats or millisats == 0):
            return None
        signed_by_service = receipt.pubkey in self.config.zap_signers
        return Zap(receipt, target, invoice, request.pubkey, millisats, signed_by_service)

    # Engagement by video key

    def _engage(self) -> None:
        self.reactions: dict[str, list[Event]] = defaultdict(list)
        for event in self._live_of_kinds(Kind.REACTION):
            self.reactions[self._reaction_target(event) or ""].append(event)

        self.comments: dict[str, list[Event]] = defaultdict(list)
        self.quoters: dict[str, set[str]] = defaultdict(set)
        for event in self._live_of_kinds(Kind.NOTE, Kind.COMMENT):
            self.comments[self._comment_root(event) or ""].append(event)
            for key in self._quoted(event):
                self.quoters[key].add(event.pubkey)

        self.reposts: dict[str, list[Event]] = defaultdict(list)
        for event in self._live_of_kinds(Kind.REPOST, Kind.GENERIC_REPOST):
            self.reposts[self._repost_target(event) or ""].append(event)

        self.bookmarkers: dict[str, set[str]] = defaultdict(set)
        lists = self._live_current(Kind.BOOKMARKS, Kind.BOOKMARK_SET, Kind.CURATION_SET)
        for event in lists:
            for key in self._all_targets(event):
                self.bookmarkers[key].add(event.pubkey)

        self.reporters: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for event in self._live_of_kinds(Kind.REPORT):
            for key, type_ in self._reports(event):
                self.reporters[key][type_].add(event.pubkey)

        self.labelers: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )
        for event in self._live_of_kinds(Kind.LABEL):
            for key in self._all_targets(event):
                for label in self._labels(event):
                    self.labelers[key][label].add(event.pubkey)

        self.zaps: dict[str, list[Zap]] = defaultdict(list)
        for zap in self._distinct_zaps():
            self.zaps[zap.target].append(zap)

        self.views: dict[str, list[Event]] = defaultdict(list)
        for event in self.view_events:
            self.views[self._address_or_alias(event) or ""].append(event)

    def _reports(self, event: Event) -> Iterator[tuple[str, str]]:
        # Some clients give the type in a `report` tag.
        fallback = first(event, "report")
        for tag in event.tags:
            name, value, type_ = tag[0], item(tag, 1), item(tag, 2)
            key = self.aliases.get(value) if name == "e" else None
            if name == "a" and is_video_address(value):
                key = value
            if key is not None:
                candidates = (type_, fallback, "other")
                yield key, next(each for each in candidates if each in REPORT_TYPES)

    @staticmethod
    def _labels(event: Event) -> set[tuple[str, str]]:
        """(namespace, label) of a kind 1985: the mark of the `l`, known to an `L` or not."""
        return {
            (item(tag, 2) or "ugc", item(tag, 1))
            for tag in event.tags
            if tag[0] == "l" and item(tag, 1)
        }

    def _distinct_zaps(self) -> Iterable[Zap]:
        """One zap for an invoice and a video, however many receipts repeat it."""
        by_invoice: dict[tuple[str, str], list[Zap]] = defaultdict(list)
        for receipt in self._live_of_kinds(Kind.ZAP):
            zap = self._zap(receipt)
            if zap is not None:
                by_invoice[zap.target, zap.invoice].append(zap)
        # Choice: a verified receipt first (else a backdated copy would take its place), then the
        # earliest, then the lowest id.
        return [
            min(zaps, key=lambda zap: (not zap.verified, zap.receipt.created_at, zap.receipt.id))
            for zaps in by_invoice.values()
        ]

    # One video

    def key(self, identifier: str) -> str | None:
        """The key of the live video that an event id (of any version) or an address names."""
        key = self.aliases.get(identifier, identifier)
        return key if key in self.live_videos else None

    def published(self, key: str) -> int:
        """D7, in Unix seconds."""
        event = self.current[key]
        declared = natural(first(event, "published_at"))
        if declared:
            return min(declared, event.created_at)
        return min(version.created_at for version in self.versions[key])

    def video(self, identifier: str) -> Video | None:
        key = self.key(identifier)
        if key is None:
            return None
        event = self.live_videos[key]
        media = imetas(event)
        main = next((properties for properties in media if is_playable(properties)), {})
        others = [properties for properties in media if properties is not main]

        def candidates(name: str) -> list[str]:
            return main.get(name, [])[:1] + values(event, name)[:1] + [""]

        thumbnails = [image for each in [main, *others] for image in each.get("image", [])[:1]]
        for name in ("thumb", "image", "thumbnail"):
            thumbnails += values(event, name)
        warning = self._content_warning(key, event)
        hashes = [value.lower() for value in candidates("x")]
        durations = [duration_seconds(value) for value in candidates("duration")]
        return Video(
            key=key,
            address=address_of(event),
            id=event.id,
            pubkey=event.pubkey,
            kind=event.kind,
            created_at=event.created_at,
            published=self.published(key),
            title=first(event, "title"),
            # Choice: clients that leave the content empty describe the video in `summary`.
            description=event.content or first(event, "summary"),
            video_url=next((url for url in candidates("url") if WEB_ADDRESS.match(url)), ""),
            thumbnail=next((url for url in thumbnails if WEB_ADDRESS.match(url)), ""),
            duration_seconds=next((value for value in durations if value is not None), None),
            dimensions=next((v for v in candidates("dim") if DIMENSIONS.fullmatch(v)), ""),
            blurhash=next((value for value in candidates("blurhash") if value), ""),
            sha256=next((value for value in hashes if HEX_64.fullmatch(value)), ""),
            hashtags=self._hashtags(key, event),
            sensitive=warning is not None,
            content_warning=warning or "",
            platform=(first(event, "platform") or first(event, "origin")).lower(),
            embedded_loops=embedded_count(event, "loops"),
            embedded_likes=embedded_count(event, "likes"),
            embedded_comments=embedded_count(event, "comments"),
            embedded_reposts=embedded_count(event, "reposts"),
        )

    def _trusted_labels(self, key: str, namespace: str) -> list[str]:
        return sorted(
            label
            for (space, label), labelers in self.labelers[key].items()
            if space == namespace and labelers & self.config.trusted_labelers
        )

    def _hashtags(self, key: str, event: Event) -> tuple[str, ...]:
        raw = values(event, "t") + self._trusted_labels(key, "#t")
        return tuple(sorted({normalised_hashtag(value) for value in raw} - {""}))

    def _content_warning(self, key: str, event: Event) -> str | None:
        own = content_warning(event)
        claimed = self._trusted_labels(key, "content-warning")
        return own if own is not None else next(iter(claimed), None)

    def stats(self, identifier: str) -> Stats | None:
        """None for what is not a live video: unknown, deleted, expired, vanished, not yet due."""
        key = self.key(identifier)
        if key is None:
            return None
        event = self.live_videos[key]
        reactions, votes = self.reactions[key], self._votes(key)
        emojis, emoji_images = self._emojis(key)
        zaps = self.zaps[key]
        views, unique_viewers, loops = self._playback(key)
        engagement = self.engagement_score(key)
        return Stats(
            key=key,
            address=address_of(event),
            id=event.id,
            title=first(event, "title"),
            published=self.published(key),
            reactions=len({reaction.pubkey for reaction in reactions}),
            likes=votes["+"],
            dislikes=votes["-"],
            emojis=emojis,
            emoji_images=emoji_images,
            comments=len(self.comments[key]),
            reposts=len(self._reposters(key)),
            quotes=len(self.quoters[key]),
            zaps_verified=sum(zap.verified for zap in zaps),
            zaps_unverified=sum(not zap.verified for zap in zaps),
            zap_msat_verified=sum(zap.millisats for zap in zaps if zap.verified),
            zap_msat_unverified=sum(zap.millisats for zap in zaps if not zap.verified),
            zappers=len({zap.sender for zap in zaps}),
            bookmarks=len(self.bookmarkers[key]),
            reports={type_: len(people) for type_, people in self.reporters[key].items()},
            labels={label: len(people) for label, people in self.labelers[key].items()},
            views=views,
            unique_viewers=unique_viewers,
            loops=loops,
            engagement_score=engagement,
            plain_score=sum(worth for _, worth, _ in self._acts(key)),
            trusted_score=self.trusted_score(key),
            trending_score=self.trusted_score(key) * self.decay(key),
        )

    def _votes(self, key: str) -> Counter[str]:
        return Counter(self._reaction_text(event) or "+" for event in self._latest_votes(key))

    def _latest_votes(self, key: str) -> Iterable[Event]:
        """D2: the latest of `+`, empty and `-` decides for each pubkey; ties: the lowest id."""
        latest: dict[str, Event] = {}
        for event in sorted(self.reactions[key], key=lambda event: (event.created_at, event.id)):
            if self._reaction_text(event) not in ("+", "", "-"):
                continue
            before = latest.get(event.pubkey)
            if before is None or before.created_at < event.created_at:
                latest[event.pubkey] = event
        return latest.values()

    @staticmethod
    def _reaction_text(event: Event) -> str:
        # Choice: first the variation selector goes, then everything else is compared exactly.
        return event.content.replace(VARIATION_SELECTOR, "")

    def _emojis(self, key: str) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        by_text: dict[str, set[str]] = defaultdict(set)
        by_image: dict[tuple[str, str], set[str]] = defaultdict(set)
        for event in self.reactions[key]:
            text, image = self._reaction_text(event), ""
            shortcode = SHORTCODE.fullmatch(text)
            if shortcode:
                # Choice: a shortcode without its image URL is text like any other.
                tags = [tag for tag in event.tags if tag[0] == "emoji"]
                images = [item(tag, 2) for tag in tags if item(tag, 1) == shortcode[1]]
                image = next((url for url in images if url), "")
            if image or EMOJI.fullmatch(text):
                by_text[text].add(event.pubkey)
                by_image[text, image].add(event.pubkey)
        return (
            {text: len(people) for text, people in by_text.items()},
            {emoji: len(people) for emoji, people in by_image.items()},
        )

    def _playback(self, key: str) -> tuple[int, int, float]:
        """(views, unique viewers, loops) of a video.

        A view is the start of a playback: an event of phase `start`, or one without a phase, which
        tells of a whole playback. Loops come from phase `end` (deltas, hence summed) and from
        events without a phase. Any other phase is malformed and counts for nothing.
        """
        started: dict[tuple[str, str], int] = {}
        milliloops: Counter[tuple[str, int]] = Counter()
        for event in self.views[key]:
            phases = values(event, "phase")[:1]
            day = event.created_at // DAY_SECONDS
            if phases in ([], ["start"]):
                # Choice: without a `session` each event is a session of its own; one that starts
                # twice counts on its first day.
                session = (event.pubkey, first(event, "session") or event.id)
                started[session] = min(day, started.get(session, day))
            if phases in ([], ["end"]):
                milliloops[event.pubkey, day] += self._milliloops(event)
        views_per_day = Counter((pubkey, day) for (pubkey, _), day in started.items())
        views = sum(min(count, self.config.views_per_day) for count in views_per_day.values())
        cap = self.config.loops_per_day * 1_000
        loops = sum(min(count, cap) for count in milliloops.values())
        return views, len({pubkey for pubkey, _ in started}), loops / 1_000

    def _milliloops(self, event: Event) -> int:
        # Choice: loops are counted in whole thousandths, cut off, so that no order of summing
        # matters; what is not a plain decimal number is no loops, and the view still counts.
        text = first(event, "loops")
        if not DECIMAL.fullmatch(text):
            return 0
        whole, _, fraction = text.partition(".")
        milliloops = natural(whole + (fraction + "000")[:3]) or 0
        return min(milliloops, self.config.loops_per_view * 1_000)

    def engagement_score(self, key: str) -> int:
        """D6."""
        reactors = {event.pubkey for event in self.reactions[key]}
        in_favour = len(reactors) - self._votes(key)["-"]
        return in_favour + 2 * len(self.comments[key]) + 3 * len(self._reposters(key))

    def _reposters(self, key: str) -> set[str]:
        return {event.pubkey for event in self.reposts[key]}

    # Trust

    def _standing(self) -> dict[str, float]:
        """A weight for everybody within `trust_hops` follows of a seed, halving after the first."""
        standing: dict[str, float] = {}
        reached = self.config.trust_seeds
        for hops in range(self.config.trust_hops + 1):
            standing |= {pubkey: 0.5 ** max(0, hops - 1) for pubkey in reached}
            followed = {name for pubkey in reached for name in self.following(pubkey)}
            reached = frozenset(followed - standing.keys())
        return standing

    def _acts(self, key: str) -> Iterator[tuple[str, int, int]]:
        """(pubkey, worth, Unix second of the latest): once for each person and kind of act.

        Choice: who dislikes a video has not reacted in its favour, with whatever emoji besides.
        """
        against = {
            vote.pubkey for vote in self._latest_votes(key) if self._reaction_text(vote) == "-"
        }
        for events, worth in (
            ([each for each in self.reactions[key] if each.pubkey not in against], REACTION_WORTH),
            (self.comments[key], COMMENT_WORTH),
            (self.reposts[key], REPOST_WORTH),
        ):
            latest: dict[str, int] = {}
            for event in events:
                latest[event.pubkey] = max(event.created_at, latest.get(event.pubkey, 0))
            yield from ((pubkey, worth, at) for pubkey, at in latest.items())

    def score(self, key: str, *, trust: bool) -> float:
        """What a video trends by before it fades."""
        return self.trusted_score(key) if trust else sum(worth for _, worth, _ in self._acts(key))

    def trusted_score(self, key: str) -> float:
        """The acts of people with standing who had been here for a day by then."""
        return sum(
            worth * (self.standing.get(pubkey, 0.0) if self.config.trust_seeds else 1.0)
            for pubkey, worth, at in self._acts(key)
            if at - self.first_seen[pubkey] >= self.config.history_seconds
        )

    def decay(self, key: str) -> float:
        age_hours = max(0, self.now - self.published(key)) / HOUR_SECONDS
        return math.exp(-age_hours / TRENDING_DECAY_HOURS)

    # Lists of videos, as keys

    def recent(
        self,
        *,
        kind: int | None = None,
        author: str | None = None,
        hashtag: str | None = None,
        nsfw: bool = True,
    ) -> list[str]:
        """Newest `published` first, then lowest id; the filters narrow, `nsfw=False` too (D11)."""
        keys = self._matching(kind, author, hashtag, nsfw)
        return sorted(keys, key=lambda key: (-self.published(key), self.live_videos[key].id))

    def popular(
        self,
        *,
        kind: int | None = None,
        author: str | None = None,
        hashtag: str | None = None,
        nsfw: bool = True,
    ) -> list[str]:
        """Highest engagement score first, then as recent."""
        keys = self.recent(kind=kind, author=author, hashtag=hashtag, nsfw=nsfw)
        return sorted(keys, key=lambda key: -self.engagement_score(key))

    def trending(
        self,
        *,
        kind: int | None = None,
        author: str | None = None,
        hashtag: str | None = None,
        nsfw: bool = True,
        trust: bool = True,
    ) -> list[str]:
        """Videos published in the last 30 days, highest trending score first, then as recent.

        trust: whether people weigh what they are trusted, or all alike.
        """

        since = self.now - TRENDING_WINDOW_SECONDS
        keys = self.recent(kind=kind, author=author, hashtag=hashtag, nsfw=nsfw)
        fresh = [key for key in keys if self.published(key) >= since]
        return sorted(fresh, key=lambda key: -self.score(key, trust=trust) * self.decay(key))

    def search(self, words: Sequence[str]) -> list[str]:
        """Videos in which every word begins one of theirs: most relevant first, then as popular."""
        texts = {key: self._searched(key) for key in self.popular()}
        found = {
            key: [self._relevance(text, word) for word in words] for key, text in texts.items()
        }
        relevant = {key: sum(each) for key, each in found.items() if min(each) >= 0}
        return sorted(relevant, key=lambda key: -relevant[key])

    def _searched(self, key: str) -> tuple[str, str]:
        """The title, and everything else that is looked into."""
        event = self.live_videos[key]
        video, profile = self.video(key), self.profile(event.pubkey)
        assert video is not None
        main = next((properties for properties in imetas(event) if is_playable(properties)), {})
        alt = first(event, "alt") or next(iter(main.get("alt", [])), "")
        names = [profile.fields[name] for name in ("name", "display_name")] if profile else []
        rest = "\n".join([video.description, alt, *video.hashtags])
        # Choice: nobody types what NIP-19 encodes.
        return video.title, "\n".join([re.sub(ENTITY, " ", rest), *names])

    @staticmethod
    def _relevance(texts: tuple[str, str], word: str) -> int:
        """Choice: 3 whole in the title, 2 begun there, 1 whole elsewhere, 0 begun, else -1."""
        title, rest = (searchable(text) for text in texts)
        begun = searchable(word)
        for text, whole_counts, begun_counts in ((title, 3, 2), (rest, 1, 0)):
            ends = [
                place + len(begun)
                for place in range(len(text))
                if text.startswith(begun, place) and is_border(text, place)
            ]
            if ends:
                whole = any(is_border(text, end) for end in ends)
                return whole_counts if whole else begun_counts
        return -1

    def _matching(
        self, kind: int | None, author: str | None, hashtag: str | None, nsfw: bool
    ) -> list[str]:
        wanted = None if hashtag is None else normalised_hashtag(hashtag)
        return [
            key
            for key, event in self.live_videos.items()
            if (kind is None or event.kind == kind)
            and (author is None or event.pubkey == author)
            and (wanted is None or wanted in self._hashtags(key, event))
            and (nsfw or self._content_warning(key, event) is None)
        ]

    # Everything

    def totals(self) -> Totals:
        """D12; view events count nowhere here."""
        videos = [self.video(key) for key in self.live_videos]
        vines = sum(video is not None and video.platform == "vine" for video in videos)
        return Totals(len(self.events), len(self.live_videos), vines)

    def popular_hashtags(self) -> list[Hashtag]:
        """Most videos first, then most creators, then by code points."""
        creators: dict[str, list[str]] = defaultdict(list)
        for key, event in self.live_videos.items():
            for hashtag in self._hashtags(key, event):
                creators[hashtag].append(event.pubkey)
        hashtags = [Hashtag(tag, len(who), len(set(who))) for tag, who in creators.items()]
        return sorted(hashtags, key=lambda h: (-h.video_count, -h.unique_creators, h.hashtag))

    def trending_hashtags(self, *, trust: bool = True) -> dict[str, float]:
        """What the live videos of each hashtag trend by now, added up."""
        scores: dict[str, float] = defaultdict(float)
        for key, event in self.live_videos.items():
            for hashtag in self._hashtags(key, event):
                scores[hashtag] += self.score(key, trust=trust) * self.decay(key)
        return dict(scores)

    def active_users(self, period: Literal["day", "week", "month"]) -> dict[int, int]:
        """D9: {start of the period, Unix seconds: people}; weeks begin on Monday, all in UTC."""
        people: dict[int, set[str]] = defaultdict(set)
        for event in self.events.values():
            if event.kind not in NOT_PEOPLE:
                people[self._period_start(event.created_at, period)].add(event.pubkey)
        return {start: len(pubkeys) for start, pubkeys in people.items()}

    @staticmethod
    def _period_start(seconds: int, period: Literal["day", "week", "month"]) -> int:
        moment = datetime.fromtimestamp(seconds, UTC)
        start = moment.replace(hour=0, minute=0, second=0)
        if period == "week":
            start -= timedelta(days=start.weekday())
        elif period == "month":
            start = start.replace(day=1)
        return int(start.timestamp())

    def top_creators(self) -> list[Creator]:
        """Highest engagement score over the live videos first, then most videos, then pubkey."""
        scores: dict[str, list[int]] = defaultdict(list)
        for key, event in self.live_videos.items():
            scores[event.pubkey].append(self.engagement_score(key))
        creators = [Creator(pubkey, len(each), sum(each)) for pubkey, each in scores.items()]
        return sorted(creators, key=lambda c: (-c.engagement_score, -c.video_count, c.pubkey))

    # People

    def profile(self, pubkey: str) -> Profile | None:
        event = self.current.get(f"{int(Kind.PROFILE)}:{pubkey}:")
        if event is None or not self._is_live(event):
            return None
        try:
            declared = json.loads(event.content)
        except (ValueError, RecursionError):
            declared = None
        fields = declared if isinstance(declared, dict) else {}
        # Choice: what is not a string is unknown, and a profile that is no JSON object is empty.
        texts = {
            name: value if isinstance(value := fields.get(name), str) else ""
            for name in PROFILE_FIELDS
        }
        # Choice: older clients write displayName.
        older = fields.get("displayName")
        if not texts["display_name"] and isinstance(older, str):
            texts["display_name"] = older
        return Profile(pubkey, event.id, event.created_at, texts)

    def following(self, pubkey: str) -> set[str]:
        """Whom the current kind 3 of a pubkey names (valid hex only)."""
        event = self.current.get(f"{int(Kind.FOLLOWS)}:{pubkey}:")
        if event is None or not self._is_live(event):
            return set()
        return {value for value in values(event, "p") if HEX_64.fullmatch(value)}

    def followers(self, pubkey: str) -> set[str]:
        """Whose current kind 3 names a pubkey; who follows himself counts."""
        lists = self._live_current(Kind.FOLLOWS)
        return {event.pubkey for event in lists if pubkey in values(event, "p")}

    # What others did

    def notifications(self, pubkey: str) -> list[Notification]:
        """What concerns a person, the newest first, ties by id."""
        found: dict[str, Notification] = {}
        for key, video in self.live_videos.items():
            if video.pubkey != pubkey:
                continue
            disliking = {
                vote.pubkey for vote in self._latest_votes(key) if self._reaction_text(vote) == "-"
            }
            reactions = [
                event
                for event in self.reactions[key]
                if event.pubkey not in disliking and self._reaction_text(event) != "-"
            ]
            zaps = [
                zap
                for zap in map(self._zap, self._live_of_kinds(Kind.ZAP))
                if zap is not None and zap.target == key
            ]
            acts = [
                *(("reaction", event.pubkey, event.pubkey, event) for event in reactions),
                *(("comment", event.id, event.pubkey, event) for event in self.comments[key]),
                *(("repost", event.pubkey, event.pubkey, event) for event in self.reposts[key]),
                *(("zap", zap.invoice, zap.sender, zap.receipt) for zap in zaps),
            ]
            told = set()
            for type_, once, actor, event in sorted(
                acts, key=lambda act: (act[3].created_at, act[3].id)
            ):
                if actor != pubkey and (type_, once) not in told:
                    told.add((type_, once))
                    found[event.id] = Notification(
                        type_, event.id, actor, event.created_at, key, ""
                    )
        for event in self._live_of_kinds(Kind.NOTE, Kind.COMMENT):
            parent = self.events.get(self._parent(event) or "")
            root = self._comment_root(event)
            if (
                event.pubkey != pubkey
                and root in self.live_videos
                and parent is not None
                and parent.pubkey == pubkey
                and parent.kind in (Kind.NOTE, Kind.COMMENT)
                and self._is_live(parent)
            ):
                found[event.id] = Notification(
                    "reply", event.id, event.pubkey, event.created_at, root or "", parent.id
                )
        for follower in self.followers(pubkey) - {pubkey}:
            versions = self.versions[f"{int(Kind.FOLLOWS)}:{follower}:"]
            for event in sorted(versions, key=lambda each: (-each.created_at, each.id)):
                # Choice: a version that is deleted or expired neither begins nor ends anything.
                if not self._is_live(event):
                    continue
                if pubkey not in values(event, "p"):
                    break
                since = event
            found[since.id] = Notification("follow", since.id, follower, since.created_at, "", "")
        return sorted(found.values(), key=lambda each: (-each.created_at, each.event_id))

    @staticmethod
    def _parent(event: Event) -> str | None:
        """What a comment replies to: NIP-22 the first `e`; NIP-10 marked `reply`, else the last."""
        tags = [tag for tag in event.tags if tag[0] == "e" and HEX_64.fullmatch(item(tag, 1))]
        if event.kind == Kind.COMMENT:
            return tags[0][1] if tags else None
        marked = [tag[1] for tag in tags if item(tag, 3) == "reply"]
        others = [tag[1] for tag in tags if item(tag, 3) != "mention"]
        return next(iter(marked), others[-1] if others else None)

    # All of it

    def answers(self) -> dict[str, object]:
        """Every answer under its question, for comparing two oracles as wholes."""
        people = {event.pubkey for event in self.events.values()}
        videos = sorted(self.live_videos)
        return {
            "totals": self.totals(),
            "recent": self.recent(),
            "popular": self.popular(),
            "trending": self.trending(),
            "plain_trending": self.trending(trust=False),
            "videos": {key: self.video(key) for key in videos},
            "stats": {key: self.stats(key) for key in videos},
            "aliases": {id_: self.key(id_) for id_ in sorted(self.aliases)},
            "hashtags": self.popular_hashtags(),
            "trending_hashtags": self.trending_hashtags(),
            "plain_trending_hashtags": self.trending_hashtags(trust=False),
            "daily_active_users": self.active_users("day"),
            "weekly_active_users": self.active_users("week"),
            "monthly_active_users": self.active_users("month"),
            "creators": self.top_creators(),
            "profiles": {pubkey: self.profile(pubkey) for pubkey in sorted(people)},
            "following": {pubkey: self.following(pubkey) for pubkey in sorted(people)},
            "followers": {pubkey: self.followers(pubkey) for pubkey in sorted(people)},
        }
