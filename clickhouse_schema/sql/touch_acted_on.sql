-- Finds what the touched events are about, by id or address.
INSERT INTO touched (pass, what, key)
WITH
    events AS (
        -- include ids_of_events
    )
SELECT
    {pass:UInt64} AS pass,
    'target' AS what,
    target AS key
FROM engagement_targets
PREWHERE event_id IN events
WHERE created_at >= if(
        {dated:Bool},
        (SELECT min(created_at) FROM touched_events WHERE pass = {pass:UInt64}),
        0
    )
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'target' AS what,
    target AS key
FROM playback_targets
WHERE event_id IN events
