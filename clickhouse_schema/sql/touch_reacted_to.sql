-- Takes the reactions to the touched events into the pass: an id that was unknown until now may take them
-- to another video, or away from one (NIP-25).
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    'event' AS what,
    event_id AS key
FROM engagement
WHERE target IN (
    SELECT id
    FROM touched_events
    WHERE pass = {pass:UInt64}
    UNION ALL
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64} AND what = 'event'
)
    AND relation = 'reaction'
