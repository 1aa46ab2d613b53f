"""Named builders of really signed events: each call says only what matters to the test.

Times are offsets in seconds from T. The same call gives the same event, id and signature included.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Literal

from coincurve import PrivateKey

from funnel.nostr import Event, Kind, is_addressable, is_replaceable

T = 1_700_000_000
AN_HOUR = 3_600
A_DAY = 86_400

Tag = tuple[str, ...]
Via = Literal["e", "a", "both"]

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# Millisats in one unit of a BOLT 11 amount, largest first.
INVOICE_UNITS = (("", 10**11), ("m", 10**8), ("u", 10**5), ("n", 10**2))


@dataclasses.dataclass(frozen=True)
class Author:
    """Somebody with a key: `sha256("funnel-test-" + name)`."""

    name: str

    @functools.cached_property
    def key(self) -> PrivateKey:
        return PrivateKey(hashlib.sha256(f"funnel-test-{self.name}".encode()).digest())

    @functools.cached_property
    def pubkey(self) -> str:
        return self.key.public_key_xonly.format().hex()


alice = Author("alice")
bob = Author("bob")
carol = Author("carol")
dave = Author("dave")
mallory = Author("mallory")
# Signs zap receipts for its customers.
lightning_service = Author("lightning_service")


# --- Events --------------------------------------------------------------------------------------


def an_event(
    kind: int,
    by: Author = alice,
    *,
    content: str = "",
    tags: Iterable[Iterable[str]] = (),
    at: int = 0,
) -> Event:
    """A signed event of any kind, `at` seconds after T."""
    return _signed(by, int(kind), content, tuple(tuple(tag) for tag in tags), T + at)


@functools.lru_cache(maxsize=65_536)
def _signed(by: Author, kind: int, content: str, tags: tuple[Tag, ...], created_at: int) -> Event:
    commitment = json.dumps(
        [0, by.pubkey, created_at, kind, tags, content], separators=(",", ":"), ensure_ascii=False
    )
    digest = hashlib.sha256(commitment.encode()).digest()
    signature = by.key.sign_schnorr(digest, bytes(32))
    return Event(
        id=digest.hex(),
        pubkey=by.pubkey,
        created_at=created_at,
        kind=kind,
        tags=[list(tag) for tag in tags],
        content=content,
        sig=signature.hex(),
    )


def as_json(event: Event) -> dict[str, Any]:
    """The event as a relay sends it, decoded."""
    return event._asdict() | {"tags": [list(tag) for tag in event.tags]}


def forged(event: Event, **changes: Any) -> Event:
    """The event with other values (its content, unless said otherwise), id and sig left alone."""
    return event._replace(**(changes or {"content": event.content + "!"}))


def address(event: Event) -> str:
    """`kind:pubkey:d` of an addressable event, `kind:pubkey:` of a replaceable one."""
    if is_addressable(event.kind):
        return f"{event.kind}:{event.pubkey}:{_d(event)}"
    assert is_replaceable(event.kind), f"an event of kind {event.kind} has no address"
    return f"{event.kind}:{event.pubkey}:"


def key(event: Event) -> str:
    """What a video is known by: its address, or its id where its kind has no address."""
    return address(event) if is_addressable(event.kind) else event.id


def _d(event: Event) -> str:
    d_tags = [tag for tag in event.tags if tag[0] == "d"]
    return d_tags[0][1] if d_tags and len(d_tags[0]) > 1 else ""


def _pointers(to: Event, via: Via) -> list[Tag]:
    """`e` and `a` tags that name an event; without an address there is only `e`."""
    if via == "e" or not is_addressable(to.kind):
        return [("e", to.id)]
    return [("a", address(to))] if via == "a" else [("e", to.id), ("a", address(to))]


def a_video(
    by: Author = alice,
    d: str | None = "v1",
    *,
    title: str | None = "",
    at: int = 0,
    kind: int = Kind.ADDRESSABLE_SHORT_VIDEO,
    content: str = "",
    tags: Iterable[Iterable[str]] = (),
) -> Event:
    """A video of one of the four kinds; 21 and 22 have no `d`, None leaves a tag out."""
    own: list[Tag] = [("d", d)] if d is not None and is_addressable(kind) else []
    if title is not None:
        own.append(("title", title))
    return an_event(kind, by, content=content, tags=[*own, *tags], at=at)


def a_reaction(
    to: Event,
    by: Author = bob,
    content: str = "+",
    *,
    via: Via = "e",
    at: int = 1,
    tags: Iterable[Iterable[str]] = (),
) -> Event:
    return an_event(Kind.REACTION, by, content=content, tags=[*_pointers(to, via), *tags], at=at)


def a_comment(
    on: Event,
    by: Author = bob,
    content: str = "nice",
    *,
    parent: Event | None = None,
    via: Via = "both",
    at: int = 1,
    tags: Iterable[Iterable[str]] = (),
) -> Event:
    """A NIP-22 comment on a video, or on another comment of it; `via` is how it names its root."""
    root = [(name.upper(), value) for name, value in _pointers(on, via)]
    root += [("K", str(on.kind)), ("P", on.pubkey)]
    above = parent or on
    reply = [*_pointers(above, via), ("k", str(above.kind)), ("p", above.pubkey)]
    return an_event(Kind.COMMENT, by, content=content, tags=[*root, *reply, *tags], at=at)


def a_note(
    by: Author = bob,
    content: str = "hi",
    *,
    root: Event | None = None,
    reply: Event | None = None,
    at: int = 1,
    tags: Iterable[Iterable[str]] = (),
) -> Event:
    """A kind 1; with `root` and `reply` it is a comment of the old kind (NIP-10 marks)."""
    marked = [("e", to.id, "", "root") for to in (root,) if to is not None]
    marked += [("e", to.id, "", "reply") for to in (reply,) if to is not None]
    return an_event(Kind.NOTE, by, content=content, tags=[*marked, *tags], at=at)


def histories(*people: Author) -> list[Event]:
    """Something that each has signed two days before T: acts since then have a history."""
    return [a_note(person, "here", at=-2 * A_DAY) for person in people]


def a_quote(
    of: Event, by: Author = bob, *, kind: int = Kind.NOTE, via: Via = "e", at: int = 1
) -> Event:
    tags = [("q", value) for _, value in _pointers(of, via)]
    return an_event(kind, by, content="look", tags=tags, at=at)


def a_repost(
    of: Event,
    by: Author = bob,
    *,
    kind: int = Kind.GENERIC_REPOST,
    via: Via = "a",
    embedded: bool = False,
    at: int = 1,
    tags: Iterable[Iterable[str]] = (),
) -> Event:
    """A repost; `embedded` puts the event's JSON into the content, as NIP-18 asks."""
    own = [("k", str(of.kind)), *_pointers(of, via), ("p", of.pubkey)]
    content = json.dumps(as_json(of)) if embedded else ""
    return an_event(kind, by, content=content, tags=[*own, *tags], at=at)


def a_deletion(
    *of: Event, by: Author = alice, via: Via = "e", at: int = 2, tags: Iterable[Iterable[str]] = ()
) -> Event:
    own = [pointer for event in of for pointer in _pointers(event, via)]
    return an_event(Kind.DELETION, by, tags=[*own, *tags], at=at)


def a_vanish(by: Author = bob, *relays: str, at: int = 50) -> Event:
    """A request to vanish (NIP-62), from all relays unless some are named."""
    tags = [("relay", relay) for relay in relays or ("ALL_RELAYS",)]
    return an_event(Kind.VANISH, by, tags=tags, at=at)


def a_profile(by: Author = alice, *, at: int = 0, **fields: str) -> Event:
    return an_event(Kind.PROFILE, by, content=json.dumps(fields), at=at)


def follows(by: Author, *people: Author, at: int = 0) -> Event:
    return an_event(Kind.FOLLOWS, by, tags=[("p", person.pubkey) for person in people], at=at)


def bookmarks(
    by: Author,
    *videos: Event,
    kind: int = Kind.BOOKMARKS,
    d: str = "",
    via: Via = "a",
    at: int = 1,
) -> Event:
    """A list that holds videos: bookmarks, a bookmark set or a curation set (NIP-51)."""
    own: list[Tag] = [("d", d)] if is_addressable(kind) else []
    pointers = [pointer for video in videos for pointer in _pointers(video, via)]
    return an_event(kind, by, tags=[*own, *pointers], at=at)


def a_report(
    of: Event, by: Author = mallory, type_: str = "nudity", *, via: Via = "e", at: int = 1
) -> Event:
    tags = [(*pointer, type_) for pointer in _pointers(of, via)]
    return an_event(Kind.REPORT, by, tags=[*tags, ("p", of.pubkey)], at=at)


def a_label(
    of: Event,
    label: str,
    namespace: str = "ugc",
    by: Author = mallory,
    *,
    via: Via = "a",
    at: int = 1,
) -> Event:
    own = [("L", namespace), ("l", label, namespace)]
    return an_event(Kind.LABEL, by, tags=[*own, *_pointers(of, via)], at=at)


def an_invoice(millisats: int, number: int = 1) -> str:
    """Something that reads as a BOLT 11 invoice; another number is another invoice."""
    for unit, size in INVOICE_UNITS:
        if millisats % size == 0:
            prefix = f"lnbc{millisats // size}{unit}" if millisats else "lnbc"
            break
    else:
        prefix = f"lnbc{millisats * 10}p"
    digest = hashlib.sha256(f"{millisats}-{number}".encode()).digest()
    return f"{prefix}1{''.join(BECH32[byte % 32] for byte in digest)}"


def a_zap_request(
    to: Event, by: Author = bob, *, amount: int | None = None, via: Via = "both", at: int = 1
) -> Event:
    own = [("amount", str(amount))] if amount is not None else []
    tags = [*own, ("p", to.pubkey), *_pointers(to, via)]
    return an_event(Kind.ZAP_REQUEST, by, tags=tags, at=at)


def a_zap(
    to: Event,
    by: Author = bob,
    *,
    millisats: int = 1_000_000,
    asked: int | None = None,
    invoice: str | None = None,
    request: Event | None = None,
    service: Author = lightning_service,
    via: Via = "both",
    at: int = 1,
) -> Event:
    """A zap receipt that `service` signs for the request of `by`.

    `asked` is the amount in the request (none unless given), `millisats` that of the invoice.
    """
    request = request or a_zap_request(to, by, amount=asked, via=via, at=at)
    tags = [
        ("p", to.pubkey),
        *_pointers(to, via),
        ("bolt11", invoice or an_invoice(millisats)),
        ("description", json.dumps(as_json(request))),
    ]
    return an_event(Kind.ZAP, service, tags=tags, at=at)


def a_view(
    of: Event,
    by: Author = bob,
    *,
    phase: str | None = None,
    loops: str | float | None = None,
    session: str | None = None,
    viewed: tuple[int, int] | None = None,
    via: Via = "both",
    at: int = 1,
) -> Event:
    """A kind 22236: the start or the end of a playback, or without a phase all of it."""
    tags = _pointers(of, via)
    if phase is not None:
        tags.append(("phase", phase))
    if viewed is not None:
        tags.append(("viewed", str(viewed[0]), str(viewed[1])))
    if loops is not None:
        tags.append(("loops", str(loops)))
    if session is not None:
        tags.append(("session", session))
    return an_event(Kind.VIEW, by, tags=tags, at=at)
