-- Every accepted event once, and the slim tables that find it by author, by kind and time, and by arrival.

-- Raw and complete: whatever else is in this database can be computed again from here.
-- ORDER BY id: an event is found, and a redelivered copy collapses, by its id (NIP-01).
-- Granules of 256 rows: a lookup of one id reads one granule of each column.
CREATE TABLE IF NOT EXISTS events_local
(
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    kind UInt16,
    tags Array(Array(String)) CODEC(ZSTD(3)),
    content String CODEC(ZSTD(3)),
    sig String CODEC(ZSTD(1)),
    -- 1: the event carries another event's JSON whose id and signature are right (checked at ingestion)
    embedded UInt8,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    -- NIP-40: the first expiration tag, when it is a number. 4294967295: never. A deletion and a
    -- request to vanish do not expire (decision D10).
    expiration UInt32 MATERIALIZED if(
        kind NOT IN (5, 62)
        AND match(arrayFirst(tag -> tag[1] = 'expiration', tags)[2], '^[0-9]+$'),
        -- a number that does not fit UInt64 is later than any date all the same
        toUInt32(least(
            ifNull(toUInt64OrNull(arrayFirst(tag -> tag[1] = 'expiration', tags)[2]), 4294967295),
            4294967295
        )),
        4294967295
    )
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- View telemetry (kind 22236) is ephemeral by number: kept apart, in no total.
CREATE TABLE IF NOT EXISTS view_events_local
(
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    tags Array(Array(String)) CODEC(ZSTD(3)),
    content String CODEC(ZSTD(3)),
    sig String CODEC(ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- By kind and time: totals, active users, the id sets of a reconciliation.
CREATE TABLE IF NOT EXISTS events_by_kind
(
    kind UInt16,
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, created_at, id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_by_kind_mv TO events_by_kind AS
SELECT
    kind,
    created_at,
    id,
    pubkey
FROM events_local;

-- By author: what a request to vanish has to find.
CREATE TABLE IF NOT EXISTS events_by_author
(
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    id String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, kind, created_at, id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_by_author_mv TO events_by_author AS
SELECT
    pubkey,
    kind,
    created_at,
    id
FROM events_local;

-- By arrival: what the read model has not seen yet. Bookkeeping, no fact: old rows go.
CREATE TABLE IF NOT EXISTS arrivals
(
    inserted_at DateTime64(3, 'UTC'),
    id String CODEC(ZSTD(1)),
    kind UInt16
)
ENGINE = MergeTree
ORDER BY (inserted_at, id)
TTL toDateTime(inserted_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_mv TO arrivals AS
SELECT
    inserted_at,
    id,
    kind
FROM events_local;

CREATE MATERIALIZED VIEW IF NOT EXISTS view_arrivals_mv TO arrivals AS
SELECT
    inserted_at,
    id,
    22236 AS kind
FROM view_events_local;

-- What time itself will change: events that expire and events from the future, by that moment.
-- Written by the projector, which alone knows what was still to come when it saw the event.
CREATE TABLE IF NOT EXISTS due
(
    at UInt32,
    id String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (at, id);
