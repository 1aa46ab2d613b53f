-- Adds the events that touched deletion requests name: they are looked at again, too.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    named AS key
FROM events_local
ARRAY JOIN arrayMap(tag -> tag[2], arrayFilter(tag -> tag[1] = 'e', tags)) AS named
WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
    AND kind = 5
    AND match(named, '^[0-9a-f]{64}$')
