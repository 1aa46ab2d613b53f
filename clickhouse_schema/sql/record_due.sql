-- Notes when the touched events will change by themselves: they expire, or their time comes.
INSERT INTO due (at, id)
SELECT
    arrayJoin(arrayFilter(
        moment -> moment > {now:UInt32} AND moment < 4294967295,
        [expiration, if(created_at > 900, created_at - 900, 0)]
    )) AS at,
    id
FROM touched_events
WHERE pass = {pass:UInt64}
