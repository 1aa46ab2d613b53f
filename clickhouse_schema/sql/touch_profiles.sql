-- Finds the pubkeys whose profile the touched events may change.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    'profile' AS what,
    pubkey AS key
FROM events_local
WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
    AND (
        kind = 0
        OR (kind = 5 AND arrayExists(tag -> tag[1] = 'a' AND startsWith(tag[2], '0:'), tags))
    )
