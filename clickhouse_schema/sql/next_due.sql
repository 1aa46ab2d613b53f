-- How many events expire or fall due in a span of time.
SELECT count() AS events
FROM due
WHERE at > {after:UInt32} AND at <= {now:UInt32}
