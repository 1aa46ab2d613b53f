-- Takes the reactions to the touched events into the pass: an id that was unknown until now may take them
-- to another video, or away from one (NIP-25).
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    'event' AS what,
    event_id AS key
FROM engagement
PREWHERE target IN (
    -- include ids_of_events
)
WHERE relation = 'reaction'
