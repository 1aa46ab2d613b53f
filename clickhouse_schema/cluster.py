"""The migrations as a cluster of replicas wants them: the same files, other engines.

Every definition goes to all nodes (ON CLUSTER), tables replicate through Keeper, and `events` is a
Distributed table over the `events_local` of all nodes. Rows that a migration inserts are inserted
once and replicate. ClickHouse: "Data Replication", "Distributed DDL", "Distributed Table Engine".
"""

from __future__ import annotations

import dataclasses
import re

from clickhouse_schema.migrator import Migration

DEFINITION = re.compile(
    r"^((?:(?:CREATE (?:TABLE|VIEW|MATERIALIZED VIEW)|ATTACH TABLE) IF NOT EXISTS"
    r"|(?:DROP (?:TABLE|VIEW)|DETACH TABLE) IF EXISTS|ALTER TABLE) \w+)",
    re.MULTILINE,
)
EXCHANGE = re.compile(r"^EXCHANGE TABLES \w+ AND \w+", re.MULTILINE)
ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)", re.MULTILINE)
# The tokens by which a repeated insert changes nothing are kept in Keeper then.
WINDOW = re.compile(r"\bnon_replicated_deduplication_window\b")
RAW_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS events_local$", re.MULTILINE)


def for_cluster(migration: Migration, cluster: str) -> Migration:
    """The same migration for a cluster of that name; without a name, as it is.

    Raises ValueError for a name that is none.
    """
    if not cluster:
        return migration
    if not cluster.isidentifier():
        raise ValueError(f"{cluster!r} is no name of a cluster.")
    statements = []
    for statement in migration.statements:
        statements.append(replicated(statement, cluster))
        if RAW_TABLE.search(statement):
            statements.append(
                f"CREATE TABLE IF NOT EXISTS events ON CLUSTER {cluster} AS events_local\nENGINE ="
                f" Distributed('{cluster}', currentDatabase(), events_local, cityHash64(id))"
            )
    return dataclasses.replace(migration, statements=tuple(statements))


def replicated(statement: str, cluster: str) -> str:
    """One statement of a migration; what is not a definition stays as it is."""
    statement = DEFINITION.sub(rf"\1 ON CLUSTER {cluster}", statement, count=1)
    statement = EXCHANGE.sub(rf"\g<0> ON CLUSTER {cluster}", statement)
    statement = ENGINE.sub(r"ENGINE = Replicated\1", statement)
    return WINDOW.sub("replicated_deduplication_window", statement)
