-- Finds the videos that the touched events concern by an id: those of which they are versions, and those
-- that they are about. Only a version changes what a search looks into.
INSERT INTO touched (pass, what, key)
WITH
    -- only these: an id that is none would be looked for in each part in vain
    versions AS (
        SELECT id
        FROM touched_events
        WHERE pass = {pass:UInt64} AND kind IN (21, 22, 34235, 34236)
    )
SELECT
    {pass:UInt64} AS pass,
    arrayJoin(if(id IN versions, ['video', 'text'], ['video'])) AS what,
    video_key AS key
FROM video_aliases
WHERE id IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64} AND what = 'target' AND length(key) = 64
        -- mostly an act names a video's address and its id
        AND key NOT IN (SELECT target FROM touched_targets WHERE pass = {pass:UInt64})
    UNION ALL
    SELECT id
    FROM versions
)
