"""What a pass looks into: no part that cannot have what is new, and nothing that it knows."""

from __future__ import annotations

import itertools
import re
from operator import attrgetter
from typing import Any

from clickhouse_schema import projector, rest
from funnel.clickhouse import Clickhouse
from funnel.nostr import Event
from funnel.sql import Query, parse_query
from tests.builders import T, a_note, a_reaction, a_video, alice, as_json, bob, carol
from tests.delivery import Delivery
from tests.videos.test_reading import granules, plan

TOUCH = parse_query(
    "tests.touch",
    """-- Takes an event into a pass.
    INSERT INTO touched_events (pass, id, kind, created_at)
    SELECT {pass:UInt64}, {id:String}, 7, {created_at:UInt32}
    """,
)


def selected(query: Query) -> Query:
    """What an INSERT … SELECT writes."""
    select = re.sub(r"INSERT INTO \w+ \([^)]+\)", "", query.text, count=1)
    return parse_query(query.name, f"-- What is written.\n{select}")


def parts_read(door: Clickhouse, query: Query, params: dict[str, Any], table: str) -> str:
    """Of how many parts of the table how many are read by an INSERT … SELECT: "1/2"."""
    explained = plan(door, selected(query), params)
    [read] = [
        read
        for read in re.split(r"ReadFromMergeTree \(\w+\.", explained)[1:]
        if read.startswith(f"{table})")
    ]
    parts = re.search(r"Parts: (\d+/\d+)", read)
    assert parts
    return parts[1]


def test_old_parts_are_not_looked_into_for_what_is_new(clickhouse):
    """ClickHouse knows the dates of a part that it has merged."""
    delivery = Delivery(clickhouse, now=T + 1000)
    videos = [a_video(alice, d=f"{n}", at=n) for n in range(4)]
    old = [a_reaction(video, by=bob, at=100) for video in videos]
    delivery.deliver([map(as_json, [*videos, *old[:2]]), map(as_json, old[2:])])
    for table in ("engagement_targets", "video_stats"):
        clickhouse.command(f"OPTIMIZE TABLE {table} FINAL")
    new = a_reaction(videos[2], by=carol, at=200)
    delivery.deliver([[as_json(new)]])

    last = delivery.projector.version
    acted_on, listed = projector.SQL["touch_acted_on"], rest.SQL["project_listed_videos"]
    of_pass, of_passes = {"pass": last, "dated": True}, {"passes": [last], "afresh": 0}
    # As it was while that pass ran.
    clickhouse.execute(TOUCH, {"pass": last, "id": new.id, "created_at": new.created_at})
    assert "1/2" == parts_read(clickhouse, acted_on, of_pass, "engagement_targets")
    assert "1/2" == parts_read(clickhouse, listed, of_passes, "video_stats")


def test_ids_of_videos_whose_addresses_are_acted_on_are_not_looked_up(clickhouse, monkeypatch):
    delivery = Delivery(clickhouse, now=T + 1000)
    # What a pass has looked up stays as it was while it ran.
    monkeypatch.setattr(delivery.projector, "drop", lambda this: None)
    videos = sorted([a_video(alice, d=f"{n}", at=n) for n in range(20)], key=attrgetter("id"))
    delivery.deliver([map(as_json, videos)])

    def looked_up(event: Event) -> str:
        delivery.deliver([[as_json(event)]])
        of_pass = {"pass": delivery.projector.version}
        return parts_read(clickhouse, projector.SQL["touch_videos"], of_pass, "video_aliases")

    assert "0/1" == looked_up(a_reaction(videos[1], by=bob, via="both", at=200))
    # Between the first and the last id of the part, which alone tells nothing of it.
    notes = (a_note(carol, f"{n}", at=100) for n in itertools.count())
    unknown = next(note for note in notes if videos[0].id < note.id < videos[-1].id)
    assert "1/1" == looked_up(a_reaction(unknown, by=carol, at=200))


def test_acts_are_found_by_numbers(clickhouse, monkeypatch):
    """A condition on names finds the granules by the hashes that they are ordered by."""
    delivery = Delivery(clickhouse, now=T + 1000)
    videos = [a_video(alice, d=f"{n}", at=n) for n in range(400)]
    acts = [a_reaction(video, by=bob, via="a", at=500) for video in videos]
    delivery.deliver([map(as_json, [*videos, *acts])])
    monkeypatch.setattr(delivery.projector, "drop", lambda this: None)
    delivery.deliver([[as_json(a_reaction(videos[7], by=carol, via="a", at=600))]])
    clickhouse.command("OPTIMIZE TABLE engagement FINAL")

    of_pass = {"pass": delivery.projector.version, "now": delivery.now}
    explained = plan(clickhouse, selected(projector.SQL["touch_acts"]), of_pass)
    assert "(cityHash64(target) in 2-element set)" in explained
    # Of the video's address and of the id of its version, in granules of 128 acts.
    assert granules(explained, "engagement)")[0] <= 2
