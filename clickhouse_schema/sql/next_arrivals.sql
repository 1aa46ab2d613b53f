-- Where a chunk of arrivals ends: at most so many events, never between two that arrived together.
SELECT
    count() AS events,
    toUnixTimestamp64Milli(max(inserted_at)) AS until_ms,
    groupUniqArray(kind) AS kinds
FROM (
    SELECT
        inserted_at,
        kind
    FROM arrivals
    WHERE inserted_at > fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
        AND inserted_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    ORDER BY inserted_at ASC
    LIMIT {row_limit:UInt32} WITH TIES
)
