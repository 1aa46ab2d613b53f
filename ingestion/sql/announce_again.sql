-- Lets events arrive once more that are stored, so that the projector looks at them again.
INSERT INTO arrivals (inserted_at, id, kind, pubkey, created_at, expiration)
SELECT
    now64(3) AS inserted_at,
    id,
    kind,
    pubkey,
    created_at,
    expiration
FROM events_local
WHERE id IN {ids:Array(String)}
UNION ALL
SELECT
    now64(3) AS inserted_at,
    id,
    22236 AS kind,
    pubkey,
    created_at,
    4294967295 AS expiration
FROM view_events_local
WHERE id IN {ids:Array(String)}
