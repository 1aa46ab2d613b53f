-- Finds what the touched events are about: videos by their addresses, and ids, which may stand for any.
INSERT INTO touched (pass, what, key)
WITH
    events AS (
        -- include ids_of_events
    )
SELECT
    {pass:UInt64} AS pass,
    if(match(target, '^3423[56]:[0-9a-f]{64}:'), 'video', 'target') AS what,
    target AS key
FROM (
    SELECT target
    FROM engagement_targets
    PREWHERE event_id IN events
    WHERE created_at >= if(
            {dated:Bool},
            (SELECT min(created_at) FROM touched_events WHERE pass = {pass:UInt64}),
            0
        )
    UNION ALL
    SELECT target
    FROM playback_targets
    WHERE event_id IN events
)
