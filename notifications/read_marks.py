"""What somebody has marked as read, kept in Django's database within bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import structlog
from django.db import DatabaseError, InterfaceError, transaction

from notifications.models import ReadMark

log = structlog.get_logger(__name__)

# So many single ones for each person. Of more the oldest go, and what lies before them is read too.
MAX_READ_IDS = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """until: Unix seconds, inclusive. ids: single ones after that, with their times."""

    until: int = 0
    ids: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def and_also(self, other: Read) -> Read:
        """Both together, with at most MAX_READ_IDS single ones."""
        until = max(self.until, other.until)
        newest_first = sorted(
            {**self.ids, **other.ids}.items(), key=lambda mark: mark[1], reverse=True
        )
        until = max([until, *(seconds for _, seconds in newest_first[MAX_READ_IDS:])])
        return Read(until, {id_: seconds for id_, seconds in newest_first if seconds > until})


def read_by(pubkey: str) -> Read:
    """What the person has marked; nothing while Django's database does not answer."""
    try:
        mark = ReadMark.objects.filter(pubkey=pubkey).first()
    except (DatabaseError, InterfaceError) as error:
        log.warning("read_marks_unavailable", error=type(error).__name__)
        return Read()
    return Read(mark.read_until, mark.read_ids) if mark else Read()


def mark_read(pubkey: str, more: Read) -> None:
    """Adds to what the person has marked. Raises DatabaseError or InterfaceError."""
    with transaction.atomic():
        mark, _ = ReadMark.objects.select_for_update().get_or_create(pubkey=pubkey)
        now_read = Read(mark.read_until, mark.read_ids).and_also(more)
        mark.read_until, mark.read_ids = now_read.until, dict(now_read.ids)
        mark.save()


def forget(pubkeys: Sequence[str]) -> None:
    """Deletes what these people have marked. Raises DatabaseError or InterfaceError."""
    ReadMark.objects.filter(pubkey__in=pubkeys).delete()
