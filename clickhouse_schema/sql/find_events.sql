-- Looks the touched events up: who signed them, and when they count.
INSERT INTO touched_events (pass, id, pubkey, kind, created_at, expiration)
WITH
    events AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
SELECT
    {pass:UInt64} AS pass,
    id,
    pubkey,
    kind,
    created_at,
    expiration
FROM events_local
WHERE id IN events
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    id,
    pubkey,
    22236 AS kind,
    created_at,
    4294967295 AS expiration
FROM view_events_local
WHERE id IN events
