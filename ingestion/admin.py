"""The admin's pages about ingestion: which relays are read, and what the workers report."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from funnel.operations import site
from ingestion.models import BackfillRun, RejectedEvent, Relay, SyncCursor
from ingestion.operations import PANELS

if TYPE_CHECKING:
    # Generic in the stubs alone.
    CursorInlineBase = admin.TabularInline[SyncCursor, Relay]
    RelayAdminBase = admin.ModelAdmin[Relay]
    BackfillRunAdminBase = admin.ModelAdmin[BackfillRun]
    RejectedEventAdminBase = admin.ModelAdmin[RejectedEvent]
    RelayForm = ModelForm[Relay]
else:
    CursorInlineBase = admin.TabularInline
    RelayAdminBase = BackfillRunAdminBase = RejectedEventAdminBase = admin.ModelAdmin
    RelayForm = ModelForm

SHOWN_SAMPLE_CHARACTERS = 120

site().add_panels(*PANELS)


class ReadOnly:
    """The worker is who writes these rows: an edit would be overwritten or would lose events."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SyncCursorInline(ReadOnly, CursorInlineBase):
    model = SyncCursor
    fields = ("filter", "from_", "to", "open_gaps", "updated_at")
    readonly_fields = ("from_", "to", "open_gaps", "updated_at")
    extra = 0

    @admin.display(description="synced from")
    def from_(self, cursor: SyncCursor) -> str:
        return moment(cursor.synced_since) if cursor.synced_since else "the beginning"

    @admin.display(description="synced to")
    def to(self, cursor: SyncCursor) -> str:
        return moment(cursor.synced_until)

    @admin.display(description="but for")
    def open_gaps(self, cursor: SyncCursor) -> str:
        return ", ".join(f"{moment(first)} to {moment(last)}" for first, last in cursor.gaps)


@admin.register(Relay)
class RelayAdmin(RelayAdminBase):
    """Two switches for each relay; the rest is what its worker reports.

    Deleting a relay forgets its cursors: it is read from the beginning the next time.
    """

    list_display = (
        "url",
        "is_listed",
        "is_paused",
        "state",
        "state_changed_at",
        "cursor",
        "lag",
        "last_error",
    )
    list_filter = ("state", "is_listed", "is_paused")
    search_fields = ("url",)
    fields = ("url", "is_listed", "is_paused", "state", "state_changed_at", "last_error")
    readonly_fields = ("state", "state_changed_at", "last_error")
    actions = ("pause", "resume")
    inlines: ClassVar = [SyncCursorInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Relay]:
        return super().get_queryset(request).prefetch_related("cursors")

    def get_readonly_fields(self, request: HttpRequest, obj: Relay | None = None) -> Any:
        # Its cursors tell of this address; another relay is another row.
        return self.readonly_fields if obj is None else ("url", *self.readonly_fields)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_listed": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Relay, form: RelayForm, change: bool) -> None:
        # The switches alone: the worker may have reported since the page was opened.
        obj.save(update_fields=["is_listed", "is_paused"] if change else None)

    @admin.display(description="synced to")
    def cursor(self, relay: Relay) -> str:
        return "; ".join(
            f"{moment(cursor.synced_until)} ({cursor.filter})"
            + (f" but for {len(cursor.gaps)} gaps" if cursor.gaps else "")
            for cursor in relay.cursors.all()
        )

    @admin.display(description="behind")
    def lag(self, relay: Relay) -> str:
        """Of a relay that is read it follows the sweeps; events are written as they come."""
        synced = [cursor.synced_until for cursor in relay.cursors.all()]
        if not synced:
            return ""
        return str(timedelta(seconds=max(0, int(time.time()) - min(synced))))

    # Who may only look may not do this either.
    @admin.action(
        description="Pause: do not read them until that is taken back", permissions=["change"]
    )
    def pause(self, request: HttpRequest, relays: QuerySet[Relay]) -> None:
        self.message_user(request, f"{relays.update(is_paused=True)} paused.")

    @admin.action(
        description="Resume: read them again, from where each cursor is", permissions=["change"]
    )
    def resume(self, request: HttpRequest, relays: QuerySet[Relay]) -> None:
        self.message_user(request, f"{relays.update(is_paused=False)} resumed.")


@admin.register(BackfillRun)
class BackfillRunAdmin(ReadOnly, BackfillRunAdminBase):
    list_display = (
        "relay",
        "filter",
        "from_",
        "to",
        "state",
        "done",
        "back_to",
        "events_read",
        "unreachable_seconds",
        "unproven_seconds",
        "started_at",
        "updated_at",
        "error",
    )
    list_filter = ("state", "relay")
    list_select_related = ("relay",)

    @admin.display(description="from")
    def from_(self, run: BackfillRun) -> str:
        return moment(run.since) if run.since else "the beginning"

    @admin.display(description="to")
    def to(self, run: BackfillRun) -> str:
        return moment(run.until)

    @admin.display(description="done")
    def done(self, run: BackfillRun) -> str:
        return f"{100 * run.progress.fraction(time.time()):.1f} %"

    @admin.display(description="read back to")
    def back_to(self, run: BackfillRun) -> str:
        return moment(max(run.since, run.unread_until))


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnly, RejectedEventAdminBase):
    list_display = ("seen_at", "reason", "relay_url", "beginning")
    list_filter = ("reason", "relay_url")
    # With the number of samples of each reason; how many were rejected is in the metrics.
    show_facets = admin.ShowFacets.ALWAYS
    search_fields = ("sample",)
    date_hierarchy = "seen_at"

    @admin.display(description="sample")
    def beginning(self, event: RejectedEvent) -> str:
        return event.sample[:SHOWN_SAMPLE_CHARACTERS]


def moment(seconds: int) -> str:
    """Unix seconds as UTC; the furthest ones say nothing."""
    if seconds >= 2**32 - 1:
        return "now and later"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
