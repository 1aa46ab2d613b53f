-- The ids of the events of a pass: those that have been looked up, and those that came into it by id alone.
SELECT id
FROM touched_events
WHERE pass = {pass:UInt64}
UNION ALL
SELECT key
FROM touched
WHERE pass = {pass:UInt64} AND what = 'event'
