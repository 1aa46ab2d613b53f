-- The date of the oldest of the touched events.
SELECT min(created_at) AS oldest
FROM touched_events
WHERE pass = {pass:UInt64}
