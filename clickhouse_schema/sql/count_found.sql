-- How many events the pass has looked up.
SELECT uniqExact(id) AS events
FROM touched_events
WHERE pass = {pass:UInt64}
