-- Notes for every event when it will change by itself: it expires, or its time comes.
INSERT INTO due (at, id)
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
    UNION ALL
    SELECT
        id,
        created_at,
        4294967295 AS expiration
    FROM view_events_local
)
