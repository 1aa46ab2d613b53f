-- A chunk of arrivals: at most so many events, never ending between two that arrived together. A row for
-- each millisecond in which some did; untold: of how many there is nothing but the id and the kind.
SELECT
    toUnixTimestamp64Milli(inserted_at) AS at_ms,
    count() AS events,
    countIf(pubkey = '') AS untold,
    groupUniqArray(kind) AS kinds
FROM (
    SELECT
        inserted_at,
        kind,
        pubkey
    FROM arrivals
    WHERE inserted_at > fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
        AND inserted_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    ORDER BY inserted_at ASC
    LIMIT {row_limit:UInt32} WITH TIES
)
GROUP BY inserted_at
