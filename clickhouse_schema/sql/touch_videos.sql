-- Finds the videos that the touched events concern: their versions, what is done with them, and where
-- an id that was unknown until now may take an act to another video, or away from one (NIP-25).
INSERT INTO touched (pass, what, key)
WITH
    events AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event'),
    targets AS (
        SELECT target
        FROM engagement_targets
        WHERE event_id IN events
            OR event_id IN (
                SELECT event_id
                FROM engagement
                WHERE target IN events AND relation = 'reaction'
            )
        UNION ALL
        SELECT target
        FROM playback_targets
        WHERE event_id IN events
    )
SELECT
    {pass:UInt64} AS pass,
    'video' AS what,
    key
FROM (
    SELECT target AS key
    FROM targets
    WHERE match(target, '^3423[56]:[0-9a-f]{64}:')
    UNION ALL
    SELECT video_key AS key
    FROM video_aliases
    WHERE id IN events OR id IN targets
)
