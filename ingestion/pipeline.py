"""From what a relay sent to what is worth storing: each check once, the cheap ones first; pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, NamedTuple

from funnel.nostr import (
    PRIVATE_KINDS,
    Event,
    InvalidEvent,
    Kind,
    has_valid_embedded_event,
    is_ephemeral,
    parse_event,
    verify_signature,
)

# Sixteen times what strfry takes by default. ClickHouse would take more; nobody would show it.
MAX_EVENT_BYTES = 2**20
# 160 bytes of memory each, and twice as many are remembered at most.
RECENT_IDS = 200_000


class Accepted(NamedTuple):
    """An event to store; `embedded` as `has_valid_embedded_event`, `size` in bytes of JSON."""

    event: Event
    embedded: bool
    size: int


class Rejected(NamedTuple):
    """Not to be stored; `reason` is one of a fixed set of words."""

    reason: str


class Duplicate(NamedTuple):
    """A copy of an event that was accepted a short while ago."""


DUPLICATE: Final = Duplicate()
TOO_LARGE: Final = Rejected("too_large")
BAD_SIGNATURE: Final = Rejected("bad_signature")
EPHEMERAL: Final = Rejected("ephemeral")
UNWANTED_KIND: Final = Rejected("unwanted_kind")
# Of these nothing is wrong with the event. Some are messages between people: no sample is kept.
NOT_WANTED: Final = frozenset({EPHEMERAL.reason, UNWANTED_KIND.reason})

Verdict = Accepted | Rejected | Duplicate


class RecentIds:
    """The ids of the last `capacity` accepted events or more, in bounded memory.

    Two generations stand in for a queue: when the young one is full it becomes the old one. That
    costs one set operation for an event, where a true LRU moves an entry at each look.
    """

    def __init__(self, capacity: int = RECENT_IDS) -> None:
        self._capacity = capacity
        self._young: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._young or event_id in self._old

    def add(self, event_id: str) -> None:
        if len(self._young) >= self._capacity:
            self._old, self._young = self._young, set()
        self._young.add(event_id)


class Verify(enum.StrEnum):
    """How much of an event is checked.

    TRUSTED leaves out the signature, for a relay that checks it and that is reached by a way which
    nobody else can write to. Shape and id are checked all the same, and so is an event within an
    event, for which no relay vouches.
    """

    FULL = enum.auto()
    TRUSTED = enum.auto()


@dataclass(frozen=True, slots=True)
class WantedKinds:
    """The kinds to ask for and to keep: `only` these (None: all), never the `unwanted` ones."""

    only: frozenset[int] | None = None
    unwanted: frozenset[int] = PRIVATE_KINDS

    @classmethod
    def chosen(cls, kinds: list[int]) -> WantedKinds:
        """Those listed, private ones too since they were asked for; all public ones for none.

        What takes events away is always among them: without it the others would never go.
        """
        if kinds:
            return cls(only=frozenset(kinds) | {Kind.DELETION, Kind.VANISH}, unwanted=frozenset())
        return cls()

    @property
    def name(self) -> str:
        """Which cursor is whose: "public" for the default, else the kinds."""
        return "public" if self.only is None else ",".join(map(str, sorted(self.only)))

    def __contains__(self, kind: int) -> bool:
        return kind not in self.unwanted and (self.only is None or kind in self.only)


class Pipeline:
    """Judges each event that arrives; remembers the ids of those that it let through."""

    def __init__(
        self, *, kinds: WantedKinds, recent: RecentIds, verify: Verify = Verify.FULL
    ) -> None:
        self._kinds = kinds
        self._recent = recent
        self._checks_signatures = verify is Verify.FULL

    def judge(self, raw: object, size: int) -> Verdict:
        """What becomes of the decoded JSON value that a relay sent as an event; never raises.

        A copy is known by its id before anything dear is done. Only a good event's id is
        remembered, so a forged copy cannot keep the genuine one out.
        """
        if type(raw) is dict:
            event_id = raw.get("id")
            if type(event_id) is str and event_id in self._recent:
                return DUPLICATE
        if size > MAX_EVENT_BYTES:
            return TOO_LARGE
        try:
            event = parse_event(raw)
        except InvalidEvent as error:
            return Rejected(error.reason)
        # Before the signature, which costs ten times the rest: none of these is stored anyway.
        if is_ephemeral(event.kind) and event.kind != Kind.VIEW:
            return EPHEMERAL
        if event.kind not in self._kinds:
            return UNWANTED_KIND
        if self._checks_signatures and not verify_signature(event):
            return BAD_SIGNATURE
        self._recent.add(event.id)
        return Accepted(event, has_valid_embedded_event(event), size)
