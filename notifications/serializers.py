"""What crosses the border of the notification endpoints: parameters, validated; rows, described."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from funnel.params import Params, PubkeyField, RowLimitField
from notifications.queries import MAX_FOUND

# What apps tell apart. Nobody is told of mentions and of lists that hold a video.
TYPES = ("reaction", "reply", "repost", "mention", "comment", "follow", "zap", "list_add")


class TypesField(serializers.Field[list[str], str, list[str], Any]):
    """Words of TYPES with commas between them; its value is a list of them."""

    described_as: ClassVar = {
        "type": "string",
        "description": f"Only these, with commas between them: {', '.join(TYPES)}.",
    }

    def __init__(self) -> None:
        super().__init__(default=list)

    def to_internal_value(self, data: str) -> list[str]:
        wanted = [word for word in (part.strip() for part in data.split(",")) if word]
        if not set(wanted) <= set(TYPES):
            raise serializers.ValidationError(f"must be some of {', '.join(TYPES)}.")
        return wanted


# --- Parameters ----------------------------------------------------------------------------------


class PersonParams(Params):
    pubkey = PubkeyField()


class NotificationsParams(Params):
    pubkey = PubkeyField()
    limit = RowLimitField()
    before = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="The next_cursor of the page before, or Unix seconds, inclusive.",
    )
    before_id = serializers.RegexField(
        r"^[0-9a-f]{64}\Z",
        default="",
        allow_blank=True,
        help_text="With seconds: the id of the last one of that time that was shown.",
        error_messages={"invalid": "must be 64 hex digits."},
    )
    types = TypesField()
    unread_only = serializers.BooleanField(
        default=False,
        help_text="true: only what is not marked as read.",
        error_messages={"invalid": "must be true or false."},
    )


class MarkReadParams(Params):
    """Which notifications are read; without the field all that there are now."""

    notification_ids = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        allow_null=True,
        max_length=MAX_FOUND,
        help_text="Their `id`s; those of no notification of the person are ignored.",
        error_messages={"max_length": f"too many ids (max {MAX_FOUND})"},
    )


# --- Answers -------------------------------------------------------------------------------------


class NotificationVideo(serializers.Serializer[Any]):
    title = serializers.CharField(allow_blank=True)
    thumbnail = serializers.CharField(allow_blank=True)
    d_tag = serializers.CharField(allow_blank=True)
    blurhash = serializers.CharField(allow_blank=True)


class NotificationProfile(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)
    display_name = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_blank=True)
    nip05 = serializers.CharField(allow_blank=True)


class Notification(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The same as source_event_id.")
    source_pubkey = serializers.CharField(help_text="Who did it; of a zap who paid.")
    source_event_id = serializers.CharField()
    source_kind = serializers.IntegerField()
    source_created_at = serializers.IntegerField(help_text="The same as created_at.")
    source_profile = NotificationProfile(allow_null=True)
    notification_type = serializers.ChoiceField(choices=TYPES)
    created_at = serializers.IntegerField(help_text="When it happened first, Unix seconds.")
    read = serializers.BooleanField()
    content = serializers.CharField(
        allow_blank=True, help_text="Of a reaction, a comment or a reply; else empty."
    )
    comment_content = serializers.CharField(
        allow_null=True, allow_blank=True, help_text="The same, of a comment or a reply."
    )
    target_comment_id = serializers.CharField(
        allow_null=True, help_text="The comment that is replied to."
    )
    referenced_event_id = serializers.CharField(
        allow_null=True, help_text="The current version of the video; null for a follow."
    )
    referenced_event_title = serializers.CharField(allow_null=True, allow_blank=True)
    referenced_d_tag = serializers.CharField(allow_null=True, allow_blank=True)
    referenced_video = NotificationVideo(allow_null=True)
    root_event_id = serializers.CharField(allow_null=True, help_text="As referenced_event_id.")
    root_event_kind = serializers.IntegerField(allow_null=True)
    root_event_pubkey = serializers.CharField(allow_null=True)
    root_d_tag = serializers.CharField(allow_null=True, allow_blank=True)
    root_addressable_id = serializers.CharField(
        allow_null=True, help_text="kind:pubkey:d; null where the kind has no address."
    )


class NotificationPage(serializers.Serializer[Any]):
    notifications = Notification(many=True)
    unread_count = serializers.IntegerField(help_text="Of all, whatever is asked for.")
    next_cursor = serializers.CharField(allow_null=True, help_text="The next `before`.")
    has_more = serializers.BooleanField()


class Marked(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="Always true; else the answer is an error.")
    marked_count = serializers.IntegerField(help_text="How many were unread until now.")
