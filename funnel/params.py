"""What comes in with a request: the base of every `…Params` serializer, and shared fields."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request

from funnel.nostr import InvalidReference, decode_event_reference, decode_pubkey

DEFAULT_ROWS = 50
MAX_ROWS = 100
# Deeper pages are asked for by robots alone, and each costs as much as all before it.
MAX_OFFSET = 1_000_000
# How what is trending counts people: for what they are trusted, or all alike.
TRUST_BY_WORD = {"on": True, "off": False}

# Of all that NIP-19 and NIP-49 encode, secret keys included: a mistyped one is no d tag to look up.
ENTITY_PREFIXES = ("note1", "nevent1", "naddr1", "npub1", "nprofile1", "nsec1", "ncryptsec1")


class Params(serializers.Serializer[Any]):
    """The parameters of one endpoint, from the query string and the path.

    Unknown ones are ignored, as every client sends some that only other servers know; a malformed
    known one is a 400 that names it.
    """

    @classmethod
    def of(cls, request: Request, **path: str) -> dict[str, Any]:
        """The validated values of `request`; raises ValidationError.

        A parameter that stands twice counts as it stands last. They are validated once: whoever
        keeps the answer to a request has to know all that it depends on (funnel/caching.py).
        """
        validated: dict[type[Params], dict[str, Any]] = request.__dict__.setdefault("validated", {})
        if cls not in validated:
            if validated:
                raise TypeError(f"{cls.__name__} is not what this request is kept by.")
            validated[cls] = cls.validated(request.query_params.dict() | path)
        return validated[cls]

    @classmethod
    def of_body(cls, request: Request) -> dict[str, Any]:
        """The validated values of the JSON object that `request` brings; raises ValidationError."""
        return cls.validated(request.data)

    @classmethod
    def validated(cls, data: object) -> dict[str, Any]:
        validated: dict[str, Any] = shared(cls).run_validation(data)
        return validated


@functools.cache
def shared(cls: type[Params]) -> Params:
    """One of each for all requests and threads: validating leaves nothing in it.

    A new one copies all its fields, which took longer than to validate them.
    """
    return cls()


class WholeNumberField(serializers.IntegerField):
    """A number between two bounds that an error names both."""

    def __init__(self, *, default: int, minimum: int, maximum: int) -> None:
        wrong = f"must be a whole number from {minimum} to {maximum}."
        super().__init__(
            default=default,
            min_value=minimum,
            max_value=maximum,
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value", "max_string_length"), wrong
            ),
        )


class RowLimitField(WholeNumberField):
    """How many rows a list has at most."""

    def __init__(self, *, default: int = DEFAULT_ROWS, maximum: int = MAX_ROWS) -> None:
        super().__init__(default=default, minimum=1, maximum=maximum)
        self.help_text = "Rows of a page at most."


class RowOffsetField(WholeNumberField):
    """How many rows of a list come before the page."""

    def __init__(self) -> None:
        super().__init__(default=0, minimum=0, maximum=MAX_OFFSET)
        self.help_text = "Rows to skip."


class WordField(serializers.Field[Any, str, str, Any]):
    """One of several words; its value is what the word stands for."""

    def __init__(self, meanings: dict[str, Any], *, default: str) -> None:
        super().__init__(default=meanings[default])
        self.meanings = meanings
        self.described_as = {"type": "string", "enum": list(meanings), "default": default}

    def to_internal_value(self, data: str) -> Any:
        if data not in self.meanings:
            raise serializers.ValidationError(f"must be one of {', '.join(self.meanings)}.")
        return self.meanings[data]


class TextField(serializers.CharField):
    """A text; an empty one counts as absent, as forms send them."""

    def __init__(self, help_text: str) -> None:
        super().__init__(default="", allow_blank=True, help_text=help_text)


class CursorField(serializers.CharField):
    """Where a page begins; an empty one is the first page's."""

    def __init__(self) -> None:
        super().__init__(
            default="",
            allow_blank=True,
            help_text="The next_cursor of the page before; o:<n> skips n rows.",
        )


class PubkeyField(serializers.CharField):
    """A pubkey as 64 hex digits, `npub1…` or `nprofile1…` (NIP-19); its value is the hex."""

    described_as: ClassVar = {
        "type": "string",
        "description": "A pubkey: 64 hex digits, npub1… or nprofile1… (NIP-19).",
    }

    def to_internal_value(self, data: Any) -> str:
        try:
            return decode_pubkey(super().to_internal_value(data))
        except InvalidReference as error:
            raise serializers.ValidationError(
                "must be 64 hex digits, npub1 or nprofile1."
            ) from error


class EventReferenceField(serializers.CharField):
    """An event as its id, its address, `note1…`, `nevent1…`, `naddr1…` (NIP-19) or its d tag.

    Its value is the id in hex, the address `kind:pubkey:d`, or the d tag, which may be any text
    that does not start like an entity of NIP-19.
    """

    described_as: ClassVar = {
        "type": "string",
        "minLength": 1,
        "description": (
            "An event id, note1…, nevent1…, naddr1… (NIP-19), kind:pubkey:d, or the d tag of a "
            "video."
        ),
    }

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(decode_event_reference(text))
        except InvalidReference as error:
            if not text.startswith(ENTITY_PREFIXES):
                return text
            raise serializers.ValidationError(
                "must be an event id, note1, nevent1, naddr1, kind:pubkey:d or a d tag."
            ) from error
