-- Finds the profiles and lists of which touched events are versions. Only the name of a list that a person
-- can have several of is in the event itself.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    if(kind = 0, 'profile', 'list') AS what,
    if(kind = 0, pubkey, concat(toString(kind), ':', pubkey, ':')) AS key
FROM touched_events
-- qualified: it is the column that is meant, not the new pass
WHERE touched_events.pass = {pass:UInt64} AND kind IN (0, 3, 10003)
UNION ALL
SELECT DISTINCT
    {pass:UInt64} AS pass,
    'list' AS what,
    concat(toString(kind), ':', pubkey, ':', arrayFirst(tag -> tag[1] = 'd', tags)[2]) AS key
FROM events_local
WHERE id IN (
    SELECT id
    FROM touched_events
    WHERE pass = {pass:UInt64} AND kind IN (30003, 30005)
)
