-- All live videos of the last 30 days by what people do with them, which fades with age, most first.
-- if ahead
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    place
FROM (
-- end
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    -- a date in the future is no more than fresh
    {score:Identifier} * exp(least(0, published_at - {ranked_at:UInt32}) / 3600 / 168) AS place
FROM listed_videos FINAL
WHERE list = {list:String}
    AND published_at >= {ranked_at:UInt32} - 30 * 86400
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if ahead
    AND published_at <= {ranked_at:UInt32}
    -- end
    -- include video_filters
    -- if before
    AND published_at <= {before:UInt32}
    -- if after_score
    -- The first tier that such a score can have: it is that of its date, and the latest is a little ahead.
    AND tier >= -toInt64(floor(
        greatest({ranked_at:UInt32}, {now:UInt32} + 900) / (168 * 3600 * ln(2))
            + log2({after_place:Float64})
            + 0.000001
    ))
    -- end
    -- include after_place
ORDER BY
    tier ASC,
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
-- if ahead
    + {row_offset:UInt32}
UNION ALL
-- Their place is not that of their tier, so that these few are read beside the list.
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    toFloat64({score:Identifier}) AS place
FROM listed_videos FINAL
WHERE list = 'recent'
    AND tier < -toInt64({ranked_at:UInt32})
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- include video_filters
    -- if ahead and before
    AND published_at <= {before:UInt32}
    -- if ahead
    -- include after_place
)
ORDER BY
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- end
-- One thread, a granule at a time: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 128
