-- What a pass of the projector looks up in long tables once, and then asks of several times.

-- The touched events, as far as it matters for their authors and for time. Each pass drops its own
-- when it is through with them; a pass that ends in the middle leaves them to the TTL.
CREATE TABLE IF NOT EXISTS touched_events
(
    pass UInt64,
    id String,
    pubkey String,
    kind UInt16,
    created_at UInt32,
    expiration UInt32
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 1 HOUR
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10;

-- What people do with the touched videos; likewise.
CREATE TABLE IF NOT EXISTS touched_acts
(
    pass UInt64,
    video_key String,
    relation LowCardinality(String),
    event_id String,
    token String,
    token_url String,
    actor String,
    pubkey String,
    created_at UInt32,
    unless_known String,
    amount_msat UInt64
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 1 HOUR
-- They may be many, and nobody wants them any more.
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10;
