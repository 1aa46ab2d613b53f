"""Backups of what cannot be computed, and what is done to make a service of one again.

A backup holds three tables: both of raw events, and the barriers of those who vanished. All other
tables follow from them, so that a backup is small, is one moment of each table and nothing between
tables, and goes into a schema that has changed meanwhile.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import orjson
import structlog

from clickhouse_schema.read_model import EVENT_TABLES
from funnel.clickhouse import NAME, Clickhouse
from funnel.nostr import HEX_64
from funnel.sql import Query, load_query

log = structlog.get_logger(__name__)

SQL = {
    name: load_query(__file__, name)
    for name in (
        "count_rows",
        "find_partitions",
        "fingerprint_barriers",
        "fingerprint_events",
        "read_barriers",
    )
}

# What a backup holds, and by what it is compared.
TABLES: dict[str, Query] = {
    "events_local": SQL["fingerprint_events"],
    "view_events_local": SQL["fingerprint_events"],
    "vanish_barriers": SQL["fingerprint_barriers"],
}
# A directory on ClickHouse's machine, or a disk of its configuration and a path there.
PLACE = re.compile(r"(?:(?P<disk>[A-Za-z]\w*):)?(?P<path>/?[\w.-]+(?:/[\w.-]+)*)", re.ASCII)
# Before the names of the tables that prove it. What was left behind goes when the next one is made.
COPY = "backup_check_"
# One insert of barriers that were saved.
CHUNK_BARRIERS = 100_000

Barrier = tuple[str, int]


class BackupRefused(Exception):
    """A sentence for the operator: what is in the way, and what to do about it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fingerprint:
    """Rows of a table, each counted once, and a number that depends on all of their content."""

    rows: int
    checksum: int


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: the name of its database, and each table's fingerprint."""

    database: str
    tables: dict[str, Fingerprint]

    def to_json(self) -> bytes:
        return orjson.dumps(self, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Raises BackupRefused for anything else than `to_json` writes."""
        try:
            found = orjson.loads(text)
            tables = {
                name: Fingerprint(int(of["rows"]), int(of["checksum"]))
                for name, of in found["tables"].items()
            }
            manifest = cls(str(found["database"]), tables)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BackupRefused("The manifest is not one that clickhouse_backup wrote.") from error
        if not NAME.fullmatch(manifest.database) or set(tables) != set(TABLES):
            raise BackupRefused("The manifest is not one that clickhouse_backup wrote.")
        return manifest


def place(text: str) -> str:
    """ClickHouse's expression for the place of a backup. Raises BackupRefused."""
    found = PLACE.fullmatch(text)
    if not found or ".." in found["path"].split("/"):
        raise BackupRefused(
            "A backup is named by a directory on ClickHouse's machine, /backups/2026-11-26, or by a"
            " disk and a path, s3_backups:2026-11-26; of letters, digits, dots, dashes and"
            " underscores."
        )
    if found["disk"]:
        return f"Disk('{found['disk']}', '{found['path']}')"
    return f"File('{found['path']}')"


def fingerprints(door: Clickhouse, prefix: str = "") -> dict[str, Fingerprint]:
    """Those of the tables whose names begin so."""
    return {
        table: Fingerprint(**door.select(query, {"table": prefix + table})[0])
        for table, query in TABLES.items()
    }


def back_up(door: Clickhouse, database: str, to: str, *, base: str = "") -> Manifest:
    """Writes a backup to a place, and proves it by restoring it into tables beside the others.

    base: the place of an earlier one; what is in it is not written again. `door` has to be patient.
    Raises ClickhouseError, and BackupRefused when what was restored is not what was there.
    """
    names = ", ".join(f"TABLE {database}.{table}" for table in TABLES)
    settings = f" SETTINGS base_backup = {place(base)}" if base else ""
    before = fingerprints(door)
    door.command(f"BACKUP {names} TO {place(to)}{settings}")
    after = fingerprints(door)
    try:
        restore_copies(door, database, database, to)
        restored = fingerprints(door, COPY)
    finally:
        drop_copies(door)
    for table, copy in restored.items():
        # Events may have come meanwhile, or have been erased.
        fewest, most = sorted((before[table].rows, after[table].rows))
        unchanged = before[table] == after[table]
        if not fewest <= copy.rows <= most or (unchanged and copy != before[table]):
            raise BackupRefused(
                f"{table} has {copy.rows:,} rows in the backup and {fewest:,} to {most:,} here, or"
                " other ones: this backup is no good; make another one."
            )
    log.info("backup_written", rows={table: of.rows for table, of in restored.items()})
    return Manifest(database, restored)


def restore_copies(door: Clickhouse, database: str, from_database: str, source: str) -> None:
    """Restores a backup into tables beside those of the same shape that the service uses."""
    drop_copies(door)
    for table in TABLES:
        door.command(f"CREATE TABLE {COPY}{table} AS {table}")
    copies = ", ".join(
        f"TABLE {from_database}.{table} AS {database}.{COPY}{table}" for table in TABLES
    )
    # The backup's tables may be of an earlier shape.
    door.command(f"RESTORE {copies} FROM {place(source)} SETTINGS allow_different_table_def = 1")


def drop_copies(door: Clickhouse) -> None:
    for table in TABLES:
        door.command(f"DROP TABLE IF EXISTS {COPY}{table} SYNC SETTINGS max_table_size_to_drop = 0")


def restore(
    door: Clickhouse,
    database: str,
    source: str,
    manifest: Manifest,
    *,
    barriers: Sequence[Barrier] = (),
    resume: bool = False,
) -> None:
    """Puts a backup's rows into the tables of a migrated database, and compares them.

    barriers: more of them than the backup has; those that are there already stay too. All are to be
    carried out again, since the events that they had erased may be back. resume: the tables may
    hold rows of an earlier try. The facts and the read model are left to a rebuild, which carries
    out the barriers. Raises ClickhouseError and BackupRefused.
    """
    filled = [
        table
        for table, _ in EVENT_TABLES
        if table in TABLES and door.select(SQL["count_rows"], {"table": table})[0]["rows"]
    ]
    if filled and not resume:
        raise BackupRefused(
            f"{', '.join(filled)} of {database} has rows: restore into a database of another name"
            " (CLICKHOUSE_DATABASE) after clickhouse_migrate, or say --resume when an earlier"
            " restore of the same backup was interrupted."
        )
    try:
        restore_copies(door, database, manifest.database, source)
        for table, found in fingerprints(door, COPY).items():
            expected = manifest.tables[table]
            if found != expected:
                raise BackupRefused(
                    f"{table} has {found.rows:,} rows in this backup and {expected.rows:,} in its"
                    " manifest, or other ones: nothing was changed."
                )
        for table in TABLES:
            take_over(door, table)
    finally:
        drop_copies(door)
    raise_barriers(door, barriers)
    door.command("TRUNCATE TABLE erasures")
    log.info("backup_restored", rows={table: of.rows for table, of in manifest.tables.items()})


def take_over(door: Clickhouse, table: str) -> None:
    """Gives a table the rows of its copy, without its materialized views and without copying them.

    RESTORE by itself would leave parts that count as changed already by the next ALTER … DELETE,
    since they keep the number of the last one that they had seen: erasing would be done and change
    nothing. Attached parts begin anew.
    """
    for row in door.select(SQL["find_partitions"], {"table": COPY + table}):
        partition = row["partition_id"]
        if not NAME.fullmatch(f"_{partition}".replace("-", "_")):
            raise ValueError(f"{partition!r} is no partition.")
        door.command(f"ALTER TABLE {table} ATTACH PARTITION ID '{partition}' FROM {COPY}{table}")


# --- Barriers -------------------------------------------------------------------------------------


def read_barriers(door: Clickhouse) -> list[Barrier]:
    return [(row["pubkey"], row["erased_until"]) for row in door.select(SQL["read_barriers"], {})]


def barriers_to_json(barriers: Sequence[Barrier]) -> bytes:
    """One `["<pubkey>",<Unix second>]` a line."""
    return b"".join(orjson.dumps(barrier) + b"\n" for barrier in barriers)


def barriers_from_json(text: bytes) -> list[Barrier]:
    """Raises BackupRefused for anything else than `barriers_to_json` writes."""
    barriers: list[Barrier] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            pubkey, until = orjson.loads(line)
            if not HEX_64.fullmatch(pubkey) or not 0 <= until < 2**32:
                raise ValueError
        except (ValueError, TypeError) as error:
            raise BackupRefused(f"Line {number} of the barriers is none.") from error
        barriers.append((pubkey, until))
    return barriers


def raise_barriers(door: Clickhouse, barriers: Sequence[Barrier]) -> None:
    for first in range(0, len(barriers), CHUNK_BARRIERS):
        chunk = barriers[first : first + CHUNK_BARRIERS]
        door.insert("vanish_barriers", ("pubkey", "until"), chunk)
