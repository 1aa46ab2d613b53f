"""Nostr's own rules: kinds, events, addresses, ids. Pure: no database, no socket, no framework."""

from __future__ import annotations

import enum
import functools
import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

import nostr_sdk
import orjson
from coincurve import PublicKeyXOnly

HEX_64 = re.compile(r"[0-9a-f]{64}")
RELAY_URL = re.compile(r"(?:(wss?|https?)://)?([^/?#]*)([^?#]*)", re.IGNORECASE)

MAX_KIND = 2**16 - 1
# Seconds as ClickHouse's UInt32 holds them; a larger number is nearly always milliseconds (D5).
MAX_CREATED_AT = 2**32 - 1

# strfry's default for "from the future"; such events are kept and have no effect until due (D5).
FUTURE_TOLERANCE_SECONDS = 900

# NIP-19 recommends to stop reading an entity at 5000 characters.
MAX_REFERENCE_CHARACTERS = 5000


class Kind(enum.IntEnum):
    """The kinds that an answer depends on (names as in the NIPs)."""

    PROFILE = 0
    NOTE = 1
    FOLLOWS = 3
    DIRECT_MESSAGE = 4
    DELETION = 5
    REPOST = 6
    REACTION = 7
    SEAL = 13
    PRIVATE_MESSAGE = 14
    PRIVATE_FILE = 15
    GENERIC_REPOST = 16
    VIDEO = 21
    SHORT_VIDEO = 22
    VANISH = 62
    GIFT_WRAP = 1059
    COMMENT = 1111
    REPORT = 1984
    LABEL = 1985
    ZAP_REQUEST = 9734
    ZAP = 9735
    BOOKMARKS = 10003
    VIEW = 22236
    CLIENT_AUTH = 22242
    HTTP_AUTH = 27235
    BOOKMARK_SET = 30003
    CURATION_SET = 30005
    ADDRESSABLE_VIDEO = 34235
    ADDRESSABLE_SHORT_VIDEO = 34236


VIDEO_KINDS = (
    Kind.VIDEO,
    Kind.SHORT_VIDEO,
    Kind.ADDRESSABLE_VIDEO,
    Kind.ADDRESSABLE_SHORT_VIDEO,
)
# In which people keep videos (NIP-51).
LISTS_OF_VIDEOS = (Kind.BOOKMARKS, Kind.BOOKMARK_SET, Kind.CURATION_SET)

# Messages between people (NIP-04, NIP-17, NIP-59): ciphertext that no public answer uses.
PRIVATE_KINDS = frozenset(
    {
        Kind.DIRECT_MESSAGE,
        Kind.SEAL,
        Kind.PRIVATE_MESSAGE,
        Kind.PRIVATE_FILE,
        Kind.GIFT_WRAP,
    }
)


def is_ephemeral(kind: int) -> bool:
    return 20_000 <= kind < 30_000


def is_addressable(kind: int) -> bool:
    return 30_000 <= kind < 40_000


def is_replaceable(kind: int) -> bool:
    return kind in (0, 3) or 10_000 <= kind < 20_000


class Event(NamedTuple):
    """A signed event (NIP-01): ids, keys, signatures in lower-case hex, times in Unix seconds.

    A named tuple, since a frozen dataclass takes three times as long to make.
    """

    id: str
    pubkey: str
    created_at: int
    kind: int
    tags: list[list[str]]
    content: str
    sig: str

    def first_tag(self, name: str) -> str | None:
        """The value of the first tag of that name: "" where it has none, None without one."""
        for tag in self.tags:
            if tag[0] == name:
                return tag[1] if len(tag) > 1 else ""
        return None


# --- Validity (NIP-01) ----------------------------------------------------------------------------


class InvalidEvent(ValueError):
    """Not an event by NIP-01; `reason` is one of a fixed set of words, fit for a metric's label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def event_id(pubkey: str, created_at: int, kind: int, tags: list[list[str]], content: str) -> str:
    """The sha256 of NIP-01's serialisation, as hex.

    Raises InvalidEvent("bad_encoding") for a lone surrogate: such a text has no UTF-8.
    """
    try:
        serialised = orjson.dumps([0, pubkey, created_at, kind, tags, content])
    except TypeError as error:
        raise InvalidEvent("bad_encoding") from error
    return hashlib.sha256(serialised).hexdigest()


def parse_event(raw: object) -> Event:
    """The event that a decoded JSON value stands for, its shape and its id checked.

    The signature is not looked at: `verified_event` does both. Fields beyond NIP-01's are ignored.
    Types are exact, since `true` is an int to Python and 1e3 a float to JSON.
    """
    if type(raw) is not dict:
        raise InvalidEvent("not_an_object")
    try:
        id, pubkey, sig = raw["id"], raw["pubkey"], raw["sig"]
        created_at, kind = raw["created_at"], raw["kind"]
        tags, content = raw["tags"], raw["content"]
    except KeyError as error:
        raise InvalidEvent("missing_field") from error

    if type(id) is not str:
        raise InvalidEvent("bad_id")
    if type(pubkey) is not str or not _is_hex(pubkey, 64):
        raise InvalidEvent("bad_pubkey")
    if type(sig) is not str or not _is_hex(sig, 128):
        raise InvalidEvent("bad_sig")
    if type(created_at) is not int or not 0 <= created_at <= MAX_CREATED_AT:
        raise InvalidEvent("bad_created_at")
    if type(kind) is not int or not 0 <= kind <= MAX_KIND:
        raise InvalidEvent("bad_kind")
    if type(content) is not str:
        raise InvalidEvent("bad_content")
    if type(tags) is not list:
        raise InvalidEvent("bad_tags")
    for tag in tags:
        if type(tag) is not list or not tag:
            raise InvalidEvent("bad_tags")
        for value in tag:
            if type(value) is not str:
                raise InvalidEvent("bad_tags")

    if event_id(pubkey, created_at, kind, tags, content) != id:
        raise InvalidEvent("id_mismatch" if _is_hex(id, 64) else "bad_id")
    return Event(id, pubkey, created_at, kind, tags, content, sig)


def _is_hex(text: str, characters: int) -> bool:
    """Whether it is that much lower-case hex; in half the time of a regular expression."""
    try:
        return len(text) == characters and bytes.fromhex(text).hex() == text
    except ValueError:
        return False


# Most events come from few authors; lifting a key to the curve costs a seventh of a verification.
@functools.lru_cache(maxsize=50_000)
def _public_key(pubkey: str) -> PublicKeyXOnly:
    return PublicKeyXOnly(bytes.fromhex(pubkey))


def verify_signature(event: Event) -> bool:
    """Whether `sig` is the pubkey's BIP-340 signature of the id."""
    try:
        key = _public_key(event.pubkey)
    except ValueError:
        return False  # 32 bytes that are no point of the curve
    verified: bool = key.verify(bytes.fromhex(event.sig), bytes.fromhex(event.id))
    return verified


def verified_event(raw: object) -> Event:
    """As `parse_event`, with the signature checked too: InvalidEvent("bad_signature")."""
    event = parse_event(raw)
    if not verify_signature(event):
        raise InvalidEvent("bad_signature")
    return event


def has_valid_embedded_event(event: Event) -> bool:
    """Whether the event carries another one, whole and rightly signed.

    A zap receipt carries its request in the first `description` tag (NIP-57), a repost the reposted
    event in its content (NIP-18).
    """
    if event.kind == Kind.ZAP:
        text = event.first_tag("description")
    elif event.kind in (Kind.REPOST, Kind.GENERIC_REPOST):
        text = event.content
    else:
        return False
    if not text:
        return False
    try:
        embedded = verified_event(orjson.loads(text))
    except (orjson.JSONDecodeError, InvalidEvent):
        return False
    return event.kind != Kind.ZAP or embedded.kind == Kind.ZAP_REQUEST


# --- Addresses ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """What a replaceable or addressable event is known by through all its versions."""

    kind: int
    pubkey: str
    d_tag: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.pubkey}:{self.d_tag}"


def parse_address(text: str) -> Address | None:
    """The address that an `a` tag's value names, or None where it names none.

    Strict, since addresses are compared byte by byte: `kind:pubkey:d` split at the first two colons
    only, a kind without leading zeros that is addressable or replaceable (then d is empty).
    """
    kind_text, _, rest = text.partition(":")
    pubkey, colon, d_tag = rest.partition(":")
    if not colon or not HEX_64.fullmatch(pubkey):
        return None
    if not (kind_text.isascii() and kind_text.isdigit() and len(kind_text) <= 5):
        return None
    kind = int(kind_text)
    if str(kind) != kind_text:
        return None
    if is_addressable(kind) or (is_replaceable(kind) and not d_tag):
        return Address(kind, pubkey, d_tag)
    return None


def address_of(event: Event) -> Address | None:
    """The address of which the event is a version; None for a kind that has no versions.

    The first `d` tag counts; without one, or without a value, d is the empty string.
    """
    if is_addressable(event.kind):
        return Address(event.kind, event.pubkey, event.first_tag("d") or "")
    if is_replaceable(event.kind):
        return Address(event.kind, event.pubkey, "")
    return None


# --- References (NIP-19) --------------------------------------------------------------------------


class InvalidReference(ValueError):
    """Text that names no event and no person; the message never repeats the text."""


def decode_event_reference(text: str) -> str | Address:
    """The event id (64 hex) or address that the text names.

    It may be a hex id, note1, nevent1, naddr1 or kind:pubkey:d; anything else raises
    InvalidReference.
    """
    if HEX_64.fullmatch(text):
        return text
    if ":" in text:
        address = parse_address(text)
        if address is None:
            raise InvalidReference("not an address: expected kind:pubkey:d")
        return address
    entity = _decode_entity(text)
    if isinstance(entity, nostr_sdk.Nip19Enum.NOTE):
        return str(entity.event_id.to_hex())
    if isinstance(entity, nostr_sdk.Nip19Enum.EVENT):
        return str(entity.event.event_id().to_hex())
    if isinstance(entity, nostr_sdk.Nip19Enum.ADDR):
        coordinate = entity.coordinate.coordinate()
        address = parse_address(
            f"{coordinate.kind().as_u16()}:{coordinate.public_key().to_hex()}:"
            f"{coordinate.identifier()}"
        )
        if address is not None:
            return address
    raise InvalidReference("not an event: expected a hex id, note1, nevent1 or naddr1")


def decode_pubkey(text: str) -> str:
    """The pubkey (64 hex) that a hex key, npub1 or nprofile1 names.

    Raises InvalidReference for anything else, a secret key above all.
    """
    if HEX_64.fullmatch(text):
        return text
    entity = _decode_entity(text)
    if isinstance(entity, nostr_sdk.Nip19Enum.PUBKEY):
        return str(entity.npub.to_hex())
    if isinstance(entity, nostr_sdk.Nip19Enum.PROFILE):
        return str(entity.nprofile.public_key().to_hex())
    raise InvalidReference("not a person: expected a hex pubkey, npub1 or nprofile1")


def _decode_entity(text: str) -> object:
    # Only what may be decoded is: a secret key is refused by its prefix, before anybody reads it.
    if (
        len(text) > MAX_REFERENCE_CHARACTERS
        or not text.isascii()
        or not text.startswith(("note1", "nevent1", "naddr1", "npub1", "nprofile1"))
    ):
        raise InvalidReference("not a hex id and not a note1, nevent1, naddr1, npub1 or nprofile1")
    try:
        entity: object = nostr_sdk.Nip19.from_bech32(text).as_enum()
    except nostr_sdk.NostrSdkError:
        # From nothing: the library's words may repeat what was typed.
        raise InvalidReference(
            "not a NIP-19 entity: its checksum or its content is wrong"
        ) from None
    return entity


def relay_place(url: str) -> str:
    """The part of a relay's address by which two are the same: host, port and path (NIP-62).

    The scheme is left out, since people write wss:// for ws:// and https:// for either; so are the
    case of the host, a default port and slashes at the end.
    """
    match = RELAY_URL.match(url)
    scheme, host, path = match.groups(default="") if match else ("", url, "")
    default_port = ":80" if scheme.lower() in ("ws", "http") else ":443"
    return host.lower().removesuffix(default_port) + path.rstrip("/")
