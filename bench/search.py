"""What a search costs by the text index, against the same search without it.

    python -m bench.search [--count N] [--rounds N]

Fills an embedded server with made-up videos, whose words are as unevenly common as in a language,
and asks for rare and for common ones in turns, with the index and with it switched off. Both have
to find the same. Times are of the question for the first 50 keys, by the driver, one at a time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from funnel.clickhouse import Clickhouse
from funnel.nostr import VIDEO_KINDS
from funnel.sql import Query, parse_query
from tests.clickhouse_server import LocalServer
from videos import queries

NOW = 1_790_000_000
DATABASE = "bench_search"
CHUNK_VIDEOS = 100_000
# A merge of the last inserts may still be under way.
SETTLE_SECONDS = 300

SEARCHES = {
    "one video has it": ["unique77"],
    "rare": ["bafora"],
    "rare, two letters of it": ["zu", "bafora"],
    "rare in Japanese": ["猫の動画"],
    "punctuated": ["c++"],
    "frequent": ["cats"],
    "two frequent": ["cats", "dance"],
    "every other video": ["the"],
    "one letter": ["b"],
    "nothing": ["xylophonist"],
}

# Thirty thousand words of two or three syllables, the n-th about 1/n as frequent; six are real.
FILL_STATS = parse_query(
    "bench.fill_stats",
    """-- Made-up videos in a row.
    INSERT INTO video_stats (
        video_key, version, live, id, pubkey, kind, d_tag, created_at, published_at, expiration,
        title, content, hashtags, reactions, comments, reposts
    )
    WITH
        ['ba', 'fo', 'ra', 'ti', 'lu', 'me', 'no', 'ki', 'sa', 'de', 'vi', 'po', 'gu', 'ze', 'cha',
            'zu', 'mo', 'ni', 'ta', 're', 'la', 'so', 'pe', 'wi', 'ha', 'jo', 'ny', 'go', 'ca',
            'da']
            AS syllables,
        ['the', 'cats', 'dance', 'a', 'of', 'best'] AS real_words,
        (
            place -> toUInt32(pow(30000, (cityHash64(number, place) % 1000000) / 1000000)) - 1
        ) AS rank_at,
        (
            word -> if(word < 6, real_words[word + 1], concat(
                syllables[word % 30 + 1],
                syllables[intDiv(word, 30) % 30 + 1],
                if(word > 900, syllables[intDiv(word, 900) % 30 + 1], '')
            ))
        ) AS spelt,
        arrayMap(place -> spelt(rank_at(place)), range(22)) AS words,
        lower(hex(SHA256(concat('author ', toString(number % 20000))))) AS author
    SELECT
        concat('34236:', author, ':', toString(number)) AS video_key,
        1 AS version,
        true AS live,
        lower(hex(SHA256(toString(number)))) AS id,
        author AS pubkey,
        34236 AS kind,
        toString(number) AS d_tag,
        1780000000 + number % 9000000 AS created_at,
        created_at AS published_at,
        4294967295 AS expiration,
        arrayStringConcat(arraySlice(words, 1, 5), ' ') AS title,
        concat(
            arrayStringConcat(arraySlice(words, 6, 14), ' '),
            if(number % 10000 = 0, ' 猫の動画', ''),
            if(number % 20000 = 1, ' C++', ''),
            if(number = 77, ' unique77', '')
        ) AS content,
        arraySlice(words, 20, 3) AS hashtags,
        cityHash64(number, 'r') % 100 AS reactions,
        cityHash64(number, 'c') % 10 AS comments,
        cityHash64(number, 'p') % 5 AS reposts
    FROM numbers({first:UInt64}, {videos:UInt64})
    """,
)
FILL_TEXTS = parse_query(
    "bench.fill_texts",
    """-- What a search looks into for all videos.
    INSERT INTO video_texts (video_key, version, pubkey, created_at, written)
    SELECT
        video_key,
        1 AS version,
        pubkey,
        created_at,
        concat(
            title, '\\n', content, '\\n', arrayStringConcat(hashtags, ' '), '\\nPerson ',
            toString(cityHash64(pubkey) % 20000)
        ) AS written
    FROM video_stats
    WHERE toUInt64(d_tag) >= {first:UInt64} AND toUInt64(d_tag) < {first:UInt64} + {videos:UInt64}
    """,
)
MERGES = parse_query(
    "bench.merges",
    """-- Merges that are under way.
    SELECT count() AS merges FROM system.merges
    """,
)
SIZES = parse_query(
    "bench.sizes",
    """-- How much the texts take.
    SELECT
        sum(rows) AS rows,
        count() AS parts,
        sum(bytes_on_disk) AS bytes,
        sum(secondary_indices_compressed_bytes) AS index_bytes
    FROM system.parts
    WHERE database = currentDatabase() AND table = 'video_texts' AND active
    """,
)
COUNT_MATCHES = "SELECT count() AS videos FROM matching"
# Neither for choosing granules nor for reading rows: the words are looked for in every text.
WITHOUT_INDEX = "\nSETTINGS use_skip_indexes = 0, query_plan_direct_read_from_text_index = 0"


def filled(server: LocalServer, count: int) -> Clickhouse:
    door = Clickhouse({**server.migrate(DATABASE), "query_seconds": 600})
    for first in range(0, count, CHUNK_VIDEOS):
        chunk = {"first": first, "videos": min(CHUNK_VIDEOS, count - first)}
        door.execute(FILL_STATS, chunk)
        door.execute(FILL_TEXTS, chunk)
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and door.select(MERGES, {})[0]["merges"]:
        time.sleep(0.5)
    return door


def of_search(words: list[str]) -> dict[str, Any]:
    return queries.search_values(
        now=NOW,
        words=words,
        filters=queries.Filters(kinds=VIDEO_KINDS),
        sort="relevance",
        row_limit=50,
    )


def measured(count: int, rounds: int) -> dict[str, Any]:
    indexed = queries.SEARCH_TEXT.given(set())
    scan = Query("bench.scan", indexed.text + WITHOUT_INDEX, indexed.params)
    beginning = indexed.text.rpartition("\nSELECT video_stats")[0]
    matches = parse_query("bench.matches", f"{beginning}\n{COUNT_MATCHES}")
    with tempfile.TemporaryDirectory() as directory:
        server = LocalServer(Path(directory))
        server.start()
        try:
            door = filled(server, count)
            rows = []
            for name, words in SEARCHES.items():
                values = of_search(words)
                asked = queries.declared(indexed, values)
                assert door.select(indexed, asked) == door.select(scan, asked), name
                times: dict[str, list[float]] = {"index": [], "scan": []}
                for _ in range(rounds):
                    for way, query in (("index", indexed), ("scan", scan)):
                        started = time.perf_counter()
                        door.select(query, asked)
                        times[way].append(1000 * (time.perf_counter() - started))
                found = door.select(matches, queries.declared(matches, values))[0]["videos"]
                rows.append({"search": name, "words": words, "videos": found} | compared(times))
            [sizes] = door.select(SIZES, {})
            door.close()
        finally:
            server.stop()
    return {"videos": count, "texts": sizes, "searches": rows}


def compared(times: dict[str, list[float]]) -> dict[str, Any]:
    index_ms, scan_ms = (
        [round(value, 1) for value in (min(each), statistics.median(each), max(each))]
        for each in times.values()
    )
    return {
        "index_ms": index_ms,
        "scan_ms": scan_ms,
        "scan_to_index": round(scan_ms[1] / index_ms[1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="videos")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    result = measured(options.count, options.rounds)

    texts = result["texts"]
    print(
        f"{result['videos']:,} videos; texts {texts['bytes'] / 2**20:.0f} MiB,"
        f" {texts['index_bytes'] / 2**20:.0f} MiB of it index, {texts['parts']} parts"
    )
    print(
        "search                   |  videos | index ms min/median/max |  scan ms min/median/max | x"
    )
    for row in result["searches"]:
        print(
            f"{row['search']:<24} | {row['videos']:>7} |"
            f" {'/'.join(map(str, row['index_ms'])):>26} | {'/'.join(map(str, row['scan_ms']))} |"
            f" {row['scan_to_index']}"
        )
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "search.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
