"""The schema as ClickHouse has it, as one text that does not depend on the database's name."""

from __future__ import annotations

import re

from funnel.clickhouse import Clickhouse
from funnel.sql import load_query

READ_SCHEMA = load_query(__file__, "read_schema")

HEADER = """\
-- The schema that the migrations make. Written by `manage.py clickhouse_schema`.
"""


def dump_schema(door: Clickhouse) -> str:
    """Every object's CREATE statement, by name. Raises ClickhouseError."""
    definitions = (
        without_database(row["definition"], door.settings["database"])
        for row in door.select(READ_SCHEMA, {})
    )
    return "\n".join([HEADER, *(f"{definition};\n" for definition in definitions)])


def without_database(definition: str, database: str) -> str:
    """Takes `database.` off the names, not out of string literals."""
    qualifier = re.compile(rf"('(?:[^'\\]|\\.)*')|(?<![\w.`])`?{re.escape(database)}`?\.")
    return qualifier.sub(lambda found: found[1] or "", definition)
