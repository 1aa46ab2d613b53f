-- Finds the videos that touched deletion requests name by address (NIP-09).
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'video' AS what,
    named AS key
FROM events_local
ARRAY JOIN arrayMap(tag -> tag[2], arrayFilter(tag -> tag[1] = 'a', tags)) AS named
WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
    AND kind = 5
    AND match(named, '^3423[56]:[0-9a-f]{64}:')
