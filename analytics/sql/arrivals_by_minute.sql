-- How many events reached ClickHouse in each of the last minutes that had any, copies included.
SELECT
    toUnixTimestamp(toStartOfMinute(inserted_at)) AS minute,
    count() AS events
FROM arrivals
WHERE inserted_at >= toDateTime64(toStartOfMinute(toDateTime({now:UInt32} - 60 * {minutes:UInt16}, 'UTC')), 3, 'UTC')
GROUP BY minute
ORDER BY minute ASC
LIMIT {minutes:UInt16} + 2
