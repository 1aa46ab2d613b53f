"""The messages between a client and a relay (NIP-01, NIP-42), to and from JSON; pure."""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

import orjson

# Named tuples, not dataclasses: one is made for each frame, and they cost a third.


class EventMessage(NamedTuple):
    """An event of a subscription, decoded and in no way checked; `size` is the frame's in bytes."""

    subscription: str
    event: object
    size: int


class EoseMessage(NamedTuple):
    """End of stored events: what follows in this subscription is live."""

    subscription: str


class ClosedMessage(NamedTuple):
    """The relay has ended the subscription; the text begins with a machine-readable prefix."""

    subscription: str
    text: str


class OkMessage(NamedTuple):
    """The relay's answer to an event that we sent (here: a sign-in)."""

    event_id: str
    accepted: bool
    text: str


class AuthMessage(NamedTuple):
    """The relay asks for a sign-in, or says with what challenge one would have to be made."""

    challenge: str


class NoticeMessage(NamedTuple):
    """Words for people."""

    text: str


class UnreadableFrame(NamedTuple):
    """A frame that is no message of a relay."""

    size: int


RelayMessage = (
    EventMessage
    | EoseMessage
    | ClosedMessage
    | OkMessage
    | AuthMessage
    | NoticeMessage
    | UnreadableFrame
)


class Filter(TypedDict, total=False):
    """A NIP-01 filter; times are inclusive Unix seconds."""

    ids: list[str]
    kinds: list[int]
    authors: list[str]
    since: int
    until: int
    limit: int


def parse_message(frame: bytes) -> RelayMessage:
    """What the relay said; never raises."""
    size = len(frame)
    try:
        message: Any = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return UnreadableFrame(size)
    # Nearly every frame is an event, and a match statement would triple what it costs.
    if type(message) is list and len(message) == 3 and message[0] == "EVENT":
        subscription = message[1]
        if type(subscription) is str:
            return EventMessage(subscription, message[2], size)
    match message:
        case ["EOSE", str(subscription), *_]:
            return EoseMessage(subscription)
        case ["CLOSED", str(subscription), *texts]:
            return ClosedMessage(subscription, _text(texts))
        case ["OK", str(event_id), bool(accepted), *texts]:
            return OkMessage(event_id, accepted, _text(texts))
        case ["AUTH", str(challenge), *_]:
            return AuthMessage(challenge)
        case ["NOTICE", str(text), *_]:
            return NoticeMessage(text)
    return UnreadableFrame(size)


def _text(values: list[object]) -> str:
    """What a relay says in words: "" where it says nothing, or no words."""
    return values[0] if values and type(values[0]) is str else ""


def reason_prefix(text: str) -> str:
    """The machine-readable part of a CLOSED or OK text, "" without one: "auth-required: …"."""
    prefix, colon, _ = text.partition(":")
    return prefix if colon else ""


def req(subscription: str, *filters: Filter) -> str:
    """Asks for stored and live events that match any of the filters."""
    return orjson.dumps(["REQ", subscription, *filters]).decode()


def close(subscription: str) -> str:
    """Ends a subscription."""
    return orjson.dumps(["CLOSE", subscription]).decode()


def auth(event: object) -> str:
    """Signs in with a signed event of kind 22242 (NIP-42)."""
    return orjson.dumps(["AUTH", event]).decode()
