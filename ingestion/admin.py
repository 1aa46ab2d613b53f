"""The admin's pages about ingestion: what the workers report, to be read and not edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from ingestion.models import RejectedEvent, Relay, SyncCursor

if TYPE_CHECKING:
    # Generic in the stubs alone.
    CursorInlineBase = admin.TabularInline[SyncCursor, Relay]
    RelayAdminBase = admin.ModelAdmin[Relay]
    RejectedEventAdminBase = admin.ModelAdmin[RejectedEvent]
else:
    CursorInlineBase = admin.TabularInline
    RelayAdminBase = RejectedEventAdminBase = admin.ModelAdmin


class ReadOnly:
    """The worker is who writes these rows: an edit would be overwritten or would lose events."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SyncCursorInline(ReadOnly, CursorInlineBase):
    model = SyncCursor
    fields = ("filter", "synced_until", "updated_at")
    extra = 0


@admin.register(Relay)
class RelayAdmin(ReadOnly, RelayAdminBase):
    """Deleting a relay forgets its cursors: it is read from the beginning the next time."""

    list_display = ("url", "state", "state_changed_at", "last_error")
    list_filter = ("state",)
    inlines: ClassVar = [SyncCursorInline]


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnly, RejectedEventAdminBase):
    list_display = ("seen_at", "reason", "relay_url")
    list_filter = ("reason",)
    search_fields = ("sample",)
