-- What a pass asks of everything that arrives, so that nobody has to look each event up for it. Rows that came
-- before have none of it: an empty pubkey says so.
ALTER TABLE arrivals
    ADD COLUMN IF NOT EXISTS pubkey String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS created_at UInt32,
    ADD COLUMN IF NOT EXISTS expiration UInt32;

ALTER TABLE arrivals_mv MODIFY QUERY
SELECT
    inserted_at,
    id,
    kind,
    pubkey,
    created_at,
    expiration
FROM events_local;

ALTER TABLE view_arrivals_mv MODIFY QUERY
SELECT
    inserted_at,
    id,
    22236 AS kind,
    pubkey,
    created_at,
    4294967295 AS expiration
FROM view_events_local;
