-- Notes when the touched events will change by themselves: they expire, or their time comes.
INSERT INTO due (at, id)
WITH
    events AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
SELECT
    arrayJoin(arrayFilter(
        moment -> moment > {now:UInt32} AND moment < 4294967295,
        [expiration, if(created_at > 900, created_at - 900, 0)]
    )) AS at,
    id
FROM (
    SELECT
        id,
        created_at,
        expiration
    FROM events_local
    WHERE id IN events
    UNION ALL
    SELECT
        id,
        created_at,
        4294967295 AS expiration
    FROM view_events_local
    WHERE id IN events
)
