-- Finds what the touched events are about, by id or address: what is done with it, and where an id that
-- was unknown until now may take an act to another video, or away from one (NIP-25).
INSERT INTO touched (pass, what, key)
WITH
    events AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
SELECT
    {pass:UInt64} AS pass,
    'target' AS what,
    target AS key
FROM engagement_targets
WHERE event_id IN events AND created_at >= {oldest:UInt32}
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'target' AS what,
    target AS key
FROM engagement_targets
WHERE event_id IN (
    SELECT event_id
    FROM engagement
    WHERE target IN events AND relation = 'reaction'
)
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'target' AS what,
    target AS key
FROM playback_targets
WHERE event_id IN events
