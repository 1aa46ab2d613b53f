-- Finds the profiles and lists of which touched events are versions.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    if(kind = 0, 'profile', 'list') AS what,
    if(
        kind = 0,
        pubkey,
        concat(
            toString(kind), ':', pubkey, ':',
            if(kind IN (30003, 30005), arrayFirst(tag -> tag[1] = 'd', tags)[2], '')
        )
    ) AS key
FROM events_local
WHERE id IN (
    SELECT id
    FROM touched_events
    WHERE pass = {pass:UInt64} AND kind IN (0, 3, 10003, 30003, 30005)
)
