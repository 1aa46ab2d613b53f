-- Profiles (NIP-01 kind 0) and lists (NIP-02 follows, NIP-51 bookmarks): every version of each.

CREATE TABLE IF NOT EXISTS profile_versions
(
    pubkey String CODEC(ZSTD(1)),
    id String CODEC(ZSTD(1)),
    created_at UInt32,
    expiration UInt32,
    name String,
    display_name String,
    picture String,
    banner String,
    about String CODEC(ZSTD(3)),
    nip05 String,
    lud16 String,
    website String
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, id)
SETTINGS index_granularity = 128, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS profile_versions_mv TO profile_versions AS
WITH
    -- JSONExtractString also gives numbers, arrays and objects as text; none of them is a name
    (
        (json, name) -> if(JSONType(json, name) = 'String', JSONExtractString(json, name), '')
    ) AS text_of
SELECT
    pubkey,
    id,
    created_at,
    expiration,
    text_of(content, 'name') AS name,
    arrayFirst(
        text -> text != '',
        [text_of(content, 'display_name'), text_of(content, 'displayName')]
    ) AS display_name,
    text_of(content, 'picture') AS picture,
    text_of(content, 'banner') AS banner,
    text_of(content, 'about') AS about,
    text_of(content, 'nip05') AS nip05,
    text_of(content, 'lud16') AS lud16,
    text_of(content, 'website') AS website
FROM events_local
WHERE kind = 0;

-- A list's entries are what its event names: people for follows, ids and addresses for bookmarks.
-- Only the current version of a list counts (NIP-51).
CREATE TABLE IF NOT EXISTS list_versions
(
    -- kind:pubkey:d
    list String CODEC(ZSTD(1)),
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    created_at UInt32,
    expiration UInt32,
    entries Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (list, id)
SETTINGS index_granularity = 64, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS list_versions_mv TO list_versions AS
SELECT
    concat(
        toString(kind), ':', pubkey, ':',
        if(kind IN (30003, 30005), arrayFirst(tag -> tag[1] = 'd', tags)[2], '')
    ) AS list,
    id,
    pubkey,
    kind,
    created_at,
    expiration,
    arrayDistinct(arrayMap(
        tag -> tag[2],
        arrayFilter(
            tag -> if(
                kind = 3,
                tag[1] = 'p' AND match(tag[2], '^[0-9a-f]{64}$'),
                (tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'))
                    OR (tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'))
            ),
            tags
        )
    )) AS entries
FROM events_local
WHERE kind IN (3, 10003, 30003, 30005);
