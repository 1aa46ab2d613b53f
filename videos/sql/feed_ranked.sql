-- All live videos by people who like them, comments, engagement or loops, most first.
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    toFloat64({ranked_by:Identifier}) AS place
FROM listed_videos FINAL
WHERE list = {list:String}
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- include video_filters
    -- if before
    AND published_at <= {before:UInt32}
    -- if after
    -- the tier of its number
    AND tier >= if({after_place:Float64} < 0, 1, -1)
        * toInt64(roundToExp2(toUInt64(abs(toInt64(floor({after_place:Float64}))))))
    -- end
    -- include after_place
ORDER BY
    tier ASC,
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread, a granule at a time: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 128
