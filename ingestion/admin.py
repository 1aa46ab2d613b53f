"""The admin's pages about ingestion: which relays are read, and what the workers report."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from funnel.nostr import MAX_CREATED_AT
from ingestion.backfill import Progress
from ingestion.command_line import is_relay_address
from ingestion.models import BackfillRun, RejectedEvent, Relay, SyncCursor

if TYPE_CHECKING:
    # Generic in the stubs alone.
    CursorInlineBase = admin.TabularInline[SyncCursor, Relay]
    RelayAdminBase = admin.ModelAdmin[Relay]
    BackfillRunAdminBase = admin.ModelAdmin[BackfillRun]
    RejectedEventAdminBase = admin.ModelAdmin[RejectedEvent]
    RelayFormBase = forms.ModelForm[Relay]
else:
    CursorInlineBase = admin.TabularInline
    RelayAdminBase = BackfillRunAdminBase = RejectedEventAdminBase = admin.ModelAdmin
    RelayFormBase = forms.ModelForm


class ReadOnly:
    """The worker is who writes these rows: an edit would be overwritten or would lose events."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SyncCursorInline(ReadOnly, CursorInlineBase):
    model = SyncCursor
    fields = ("filter", "complete", "updated_at")
    readonly_fields = fields
    extra = 0

    @admin.display(description="completely synced")
    def complete(self, cursor: SyncCursor) -> str:
        return ", ".join(
            f"{date(since)} to {date(until)}" for since, until in cursor.synced.ranges()
        )


class RelayForm(RelayFormBase):
    class Meta:
        model = Relay
        fields = ("url", "is_listed", "is_paused")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if not is_relay_address(url):
            raise forms.ValidationError("A relay's address is ws://host or wss://host.")
        return url


@admin.register(Relay)
class RelayAdmin(RelayAdminBase):
    """What is added or paused here takes effect within seconds.

    Deleting a relay forgets its cursors: it is read from the beginning the next time.
    """

    form = RelayForm
    list_display = (
        "url",
        "state",
        "lag",
        "is_listed",
        "is_paused",
        "state_changed_at",
        "last_error",
    )
    list_filter = ("state", "is_paused", "is_listed")
    fields = ("url", "is_listed", "is_paused", "state", "state_changed_at", "last_error")
    readonly_fields = ("state", "state_changed_at", "last_error")
    inlines: ClassVar = [SyncCursorInline]
    actions = ("pause", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Relay]:
        return super().get_queryset(request).prefetch_related("cursors")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_listed": True} | super().get_changeform_initial_data(request)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Relay | None = None
    ) -> tuple[str, ...]:
        # The cursors below belong to the address.
        return self.readonly_fields if obj is None else (*self.readonly_fields, "url")

    @admin.display(description="not complete since")
    def lag(self, relay: Relay) -> str:
        """How long ago the last moment is up to which the relay is read without a gap."""
        ends = [ranges[0][1] for each in relay.cursors.all() if (ranges := each.synced.ranges())]
        return (
            str(timedelta(seconds=max(0, int(time.time()) - min(ends)))) if ends else "never read"
        )

    @admin.action(description="Pause reading")
    def pause(self, request: HttpRequest, relays: QuerySet[Relay]) -> None:
        relays.update(is_paused=True)

    @admin.action(description="Resume reading")
    def resume(self, request: HttpRequest, relays: QuerySet[Relay]) -> None:
        relays.update(is_paused=False)


@admin.register(BackfillRun)
class BackfillRunAdmin(ReadOnly, BackfillRunAdminBase):
    """A run that is deleted is begun anew the next time."""

    list_display = (
        "relay",
        "filter",
        "span",
        "state",
        "done",
        "events_read",
        "updated_at",
        "error",
    )
    list_filter = ("state", "relay")
    list_select_related = ("relay",)

    @admin.display(description="from and to")
    def span(self, run: BackfillRun) -> str:
        return f"{date(run.since)} to {date(run.until)}"

    @admin.display(description="done")
    def done(self, run: BackfillRun) -> str:
        progress = Progress(run.since, run.until, run.unread_until, run.events_read)
        return f"{100 * progress.fraction(time.time()):.1f} %"


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnly, RejectedEventAdminBase):
    list_display = ("seen_at", "reason", "relay_url", "beginning")
    list_filter = ("reason",)
    search_fields = ("sample",)

    @admin.display(description="sample")
    def beginning(self, rejected: RejectedEvent) -> str:
        return rejected.sample[:100]


def date(seconds: int) -> str:
    """The moment as people read it; the ends of time by name."""
    if seconds <= 0:
        return "the beginning"
    if seconds >= MAX_CREATED_AT:
        return "the end"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
