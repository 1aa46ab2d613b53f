"""Backup and restore: the same answers again, and nobody comes back who has vanished since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.urls import URLPattern, URLResolver, get_resolver

from clickhouse_schema.backup import (
    BackupRefused,
    Manifest,
    barriers_from_json,
    barriers_to_json,
    fingerprints,
    place,
    restore,
)
from funnel.clickhouse import Clickhouse, connections
from funnel.sql import parse_query
from tests.builders import a_comment, a_profile, a_reaction, a_video, alice, as_json, bob
from tests.clickhouse_schema.lively_day import EDITED, EVENTS, NOW, SHORT
from tests.clickhouse_server import LocalServer, make_schema
from tests.delivery import Delivery

# Who vanished is forgotten in Django's database too.
pytestmark = pytest.mark.django_db

MORE = (
    a_profile(bob, name="Bob", at=4),
    a_video(bob, "b", title="birds", at=6, tags=[("t", "birds")]),
    a_reaction(EDITED, bob, at=7),
    a_comment(SHORT, alice, at=8),
)
COUNT = parse_query("tests.count", "-- Rows.\nSELECT count() AS rows FROM {table:Identifier}")


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Method and route of every endpoint."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            for method in getattr(entry.callback, "actions", {}):
                yield method, route
        elif not route.startswith("/admin/"):
            yield from routes(entry, route)


ROUTES = [*routes(get_resolver())]


def answers(api) -> dict[str, Any]:
    """What each endpoint says of two videos and two people."""
    said: dict[str, Any] = {}
    for method, route in ROUTES:
        for video, person in ((EDITED, alice), (SHORT, bob)):
            path = re.sub(r"<\w+:reference>", video.id, route)
            path = re.sub(r"<\w+:pubkey>", person.pubkey, path)
            path = re.sub(r"<[\w:]+>", "cats", path)
            if method == "get":
                said[path] = said.get(path) or api.get(f"{path}?q=birds")
            elif method == "post":
                body = {"event_ids": [EDITED.id, SHORT.id], "pubkeys": [alice.pubkey, bob.pubkey]}
                said[f"POST {path}"] = api.post(path, body, format="json")
    return {
        target: (
            response.status_code,
            response.content,
            response.headers.get("X-Total-Count"),
        )
        for target, response in said.items()
    }


@pytest.fixture
def servers(tmp_path) -> Iterator[list[LocalServer]]:
    """Two, on directories of their own, which see the same backups."""
    both = []
    try:
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            server = LocalServer(tmp_path / name)
            server.backups = tmp_path / "backups"
            server.start()
            both.append(server)
        yield both
    finally:
        for server in both:
            server.stop()


@pytest.fixture
def use(monkeypatch):
    """Has commands and answers use a database of a server, which is migrated."""

    def use_database(server: LocalServer, database: str) -> Clickhouse:
        make_schema(server.settings(database))
        for alias, readonly in (("default", False), ("reader", True)):
            own = {**server.settings(database), "readonly": readonly}
            monkeypatch.setitem(django_settings.CLICKHOUSE, alias, own)
        forget()
        return connections["default"]

    def forget() -> None:
        for door in connections.doors.values():
            door.close()
        connections.doors.clear()

    monkeypatch.setattr("funnel.clock.now", lambda: NOW)
    monkeypatch.setattr(django_settings, "PUBLIC_URL", "https://funnel.example.com")
    yield use_database
    forget()


@pytest.mark.timeout(300)
def test_a_restored_service_answers_as_before_and_who_vanished_since_stays_away(
    servers, use, api, tmp_path
):
    one, other = servers
    backup, manifest = str(tmp_path / "backups" / "first"), tmp_path / "first.json"
    door = use(one, "nostr")
    Delivery(door, now=NOW).deliver([[as_json(event) for event in (*EVENTS, *MORE)]])
    before = answers(api)
    assert {200} <= {status for status, _, _ in before.values()}

    call_command("clickhouse_backup", backup, "--manifest", str(manifest))
    assert not [table for table in tables(door) if table.startswith("backup_check_")]
    with pytest.raises(CommandError, match=r"(?i)already exists"):
        call_command("clickhouse_backup", backup, "--manifest", str(manifest))

    barriers = tmp_path / "barriers.jsonl"
    call_command("vanish", bob.pubkey, "--yes")
    call_command("clickhouse_backup", "--barriers", str(barriers))
    after = answers(api)
    assert before != after

    use(other, "restored")
    call_command("clickhouse_restore", backup, "--manifest", str(manifest))
    assert_same(before, answers(api))
    with pytest.raises(CommandError, match="--resume"):
        call_command("clickhouse_restore", backup, "--manifest", str(manifest))

    # Not after the one above: its parts have to be erased from as they come.
    door = use(other, "restored_later")
    restored = ["--manifest", str(manifest), "--barriers", str(barriers)]
    call_command("clickhouse_restore", backup, *restored)
    assert_same(after, answers(api))
    assert 0 == of_bob(door)


def assert_same(expected, actual):
    """Names what differs, and not all that there is."""
    assert list(expected) == list(actual)
    differing = [target for target in expected if expected[target] != actual[target]]
    assert {t: expected[t] for t in differing} == {t: actual[t] for t in differing}


def tables(door: Clickhouse) -> list[str]:
    query = "-- Names.\nSELECT name FROM system.tables WHERE database = currentDatabase()"
    return [row["name"] for row in door.select(parse_query("tests.tables", query), {})]


def of_bob(door: Clickhouse) -> int:
    query = "-- His.\nSELECT count() AS rows FROM events_local WHERE pubkey = {pubkey:String}"
    params = {"pubkey": bob.pubkey}
    rows: int = door.select(parse_query("tests.of_bob", query), params)[0]["rows"]
    return rows


@pytest.mark.timeout(300)
def test_a_backup_that_lacks_something_is_not_believed(servers, use, tmp_path):
    one, other = servers
    backups, manifest = tmp_path / "backups", tmp_path / "manifest.json"
    door = use(one, "nostr")
    delivery = Delivery(door, now=NOW)
    delivery.deliver([[as_json(event) for event in EVENTS]])
    call_command("clickhouse_backup", str(backups / "base"), "--manifest", str(manifest))
    delivery.deliver([[as_json(event) for event in MORE]])
    difference = ["--base", str(backups / "base"), "--manifest", str(tmp_path / "more.json")]
    call_command("clickhouse_backup", str(backups / "more"), *difference)

    # The smaller backup with the manifest of the larger one.
    door = use(other, "wrong")
    more = ["--manifest", str(tmp_path / "more.json")]
    with pytest.raises(CommandError, match=r"events_local has .* rows in this backup"):
        call_command("clickhouse_restore", str(backups / "base"), *more)
    expected = Manifest.from_json((tmp_path / "more.json").read_bytes())
    assert 0 == door.select(COUNT, {"table": "events_local"})[0]["rows"]
    # Twice, as after an interruption.
    for resume in (False, True):
        restore(door, "wrong", str(backups / "more"), expected, resume=resume)
        assert expected.tables == fingerprints(door)
    base = Manifest.from_json(manifest.read_bytes()).tables["events_local"]
    assert base.rows + len(MORE) == expected.tables["events_local"].rows
    with pytest.raises(CommandError, match="not allowed"):
        call_command("clickhouse_backup", "/elsewhere/backup", *more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/backups/2026-11-26", "File('/backups/2026-11-26')"),
        ("s3_backups:2026/11.26", "Disk('s3_backups', '2026/11.26')"),
    ],
)
def test_a_place_is_written_for_clickhouse(text, expected):
    assert expected == place(text)


@pytest.mark.parametrize("text", ["", "/a'b", "/a/../b", "..", "/a\\", "/a b", "1:a", "a:", "/a\n"])
def test_a_place_that_could_be_more_than_that_is_refused(text):
    with pytest.raises(BackupRefused):
        place(text)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"database": "x", "tables": {}}', b"\xff"])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(BackupRefused):
        Manifest.from_json(text)


def test_barriers_are_read_as_they_were_saved():
    barriers = [("ab" * 32, 1), ("cd" * 32, 2**32 - 1)]

    assert barriers == barriers_from_json(barriers_to_json(barriers))


@pytest.mark.parametrize("line", [b"[]", b'["x", 1]', b'["' + b"ab" * 32 + b'", -1]', b"{", b"1"])
def test_what_is_no_barrier_is_refused(line):
    with pytest.raises(BackupRefused, match="Line 2"):
        barriers_from_json(barriers_to_json([("ab" * 32, 1)]) + line)
