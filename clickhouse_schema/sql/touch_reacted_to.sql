-- Takes the reactions to the touched events into the pass: an id that was unknown until now may take them
-- to another video, or away from one (NIP-25).
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    'event' AS what,
    event_id AS key
FROM engagement
WHERE target IN (
    -- include ids_of_events
)
    AND relation = 'reaction'
