"""How often ClickHouse was asked."""

from __future__ import annotations

from collections import Counter

from funnel.clickhouse import API_QUERY_SECONDS


def questions() -> Counter[str]:
    """How often this process has sent each question of the API, by its name."""
    sent: Counter[str] = Counter()
    for metric in API_QUERY_SECONDS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_count"):
                sent[sample.labels["query"]] += int(sample.value)
    return sent
