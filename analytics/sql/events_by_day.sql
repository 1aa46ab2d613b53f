-- How many events were signed on each of the latest days (UTC), those without any left out.
SELECT
    toUnixTimestamp(toDateTime(toDate(toDateTime(created_at, 'UTC')), 'UTC')) AS day,
    count() AS events
-- FINAL: its key is all of an event's row, so that this counts each once
FROM events_by_kind FINAL
WHERE created_at >= toUnixTimestamp(toDateTime(subtractDays(toDate(toDateTime({now:UInt32}, 'UTC')), {days:UInt16} - 1), 'UTC'))
    AND created_at <= {now:UInt32} + 900
GROUP BY day
ORDER BY day ASC
LIMIT {days:UInt16} + 1
