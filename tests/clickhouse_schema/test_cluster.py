"""The schema for a cluster: rendered from the migrations, and parsed by the engine.

One node cannot create it: there is no Keeper and no cluster.
"""

from __future__ import annotations

import pytest

from clickhouse_schema.cluster import for_cluster
from clickhouse_schema.migrator import MIGRATIONS, read_migrations
from funnel.clickhouse import Clickhouse
from funnel.sql import parse_query

FILES = read_migrations(MIGRATIONS)


def test_every_statement_for_a_cluster_is_sql_and_reaches_every_node(clickhouse: Clickhouse):
    statements = [each for file in FILES for each in for_cluster(file, "main_cluster").statements]

    for statement in statements:
        parsed = parse_query("tests.parsed", f"-- Its tree.\nEXPLAIN AST {statement}")
        # Parameters of a view's question belong to the view and are not filled in here.
        text = parsed.text.replace("{now:UInt32}", "0").replace("{since:UInt32}", "0")
        assert clickhouse.select(parse_query("tests.tree", text), {}), statement
        lines = statement.splitlines()
        code = "\n".join(line for line in lines if line and not line.startswith("--"))
        assert code.startswith("INSERT INTO") or "ON CLUSTER main_cluster" in code, code
        assert "ENGINE = MergeTree" not in code
        assert "non_replicated_deduplication_window" not in code
    engines = [part.split("\n")[0] for each in statements for part in each.split("ENGINE = ")[1:]]
    assert all(name.startswith(("Replicated", "Distributed")) for name in engines)
    assert 1 == sum("Distributed('main_cluster'" in each for each in statements)


def test_without_a_cluster_a_migration_is_its_file():
    assert FILES == [for_cluster(file, "") for file in FILES]


def test_a_name_that_could_be_sql_is_refused():
    with pytest.raises(ValueError, match="no name of a cluster"):
        for_cluster(FILES[0], "x ENGINE = Log")
