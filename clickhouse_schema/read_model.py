"""The parts of the read model, and the tables that hold something of an event or of a person."""

from __future__ import annotations

import dataclasses

# Every table that holds something of an event, with the column of its id.
EVENT_TABLES = (
    ("arrivals", "id"),
    ("due", "id"),
    ("engagement", "event_id"),
    ("engagement_targets", "event_id"),
    ("playbacks", "event_id"),
    ("playback_targets", "event_id"),
    ("playbacks_by_time", "event_id"),
    ("deletions", "event_id"),
    ("video_versions", "id"),
    ("video_aliases", "id"),
    ("profile_versions", "id"),
    ("list_versions", "id"),
    ("events_by_kind", "id"),
    ("events_by_author", "id"),
    ("view_events_local", "id"),
    # Last: what is missing elsewhere can be found from here again after an interruption.
    ("events_local", "id"),
)
# What a pass looks up once and then asks of several times: each has a partition for each pass.
PASS_TABLES = ("touched_acts", "touched_events", "touched_targets")
# Every table of the read model that holds something of a person.
PEOPLE_TABLES = (
    # What passes have looked up that ended in the middle, or are another projector's. Before what
    # would be made of it.
    *PASS_TABLES,
    "touched_lists",
    "video_stats",
    "video_texts",
    "video_places",
    "listed_videos",
    "current_lists",
    "list_entries",
    "user_profiles",
    "first_seen",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part of the read model: its name in `touched`, where its keys are, and where it is kept.

    bookkeeping: tables that are kept for the sake of the others, and depend on what was before.
    """

    what: str
    facts: str
    key_column: str
    tables: tuple[str, ...]
    bookkeeping: tuple[str, ...] = ()


# In the order in which a rebuild computes them: the entries of lists are the bookmarks of videos,
# and what people do counts for videos by what is known of them.
READ_MODEL = (
    Part("list", "list_versions", "list", ("current_lists", "list_entries")),
    Part("person", "events_by_author", "pubkey", ("first_seen",)),
    Part("profile", "profile_versions", "pubkey", ("user_profiles",)),
    Part(
        "video",
        "video_versions",
        "video_key",
        ("video_stats", "listed_videos", "video_texts"),
        ("video_places",),
    ),
)
