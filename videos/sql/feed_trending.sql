-- All live videos of the last 30 days by what people do with them, which fades with age, most first.
WITH
    arrayMap(
        hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
            extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
        ))),
        {hashtags:Array(String)}
    ) AS wanted,
    wanted AS others,
    -- the tier of a score as it was at that time
    if(
        {after_id:String} != '' AND {after_place:Float64} > 0,
        -toInt64(floor({ranked_at:UInt32} / (168 * 3600 * ln(2)) + log2({after_place:Float64}) + 0.000001)),
        -9223372036854775807
    ) AS first_tier
SELECT
    video_key,
    id,
    published_at,
    place
FROM (
    SELECT
        video_key,
        id,
        published_at,
        if({trusted:Bool}, trusted_score, plain_score) * exp(
            -greatest(0, toInt64({ranked_at:UInt32}) - toInt64(published_at)) / 3600 / 168
        ) AS place
    FROM listed_videos FINAL
    WHERE list = if({trusted:Bool}, 'trending', 'trending plain')
        AND tier >= first_tier
        AND published_at <= {ranked_at:UInt32}
        AND toInt64(published_at) >= toInt64({ranked_at:UInt32}) - 30 * 86400
        AND kind IN {kinds:Array(UInt16)}
        AND ({author:String} = '' OR pubkey = {author:String})
        AND (
            {followed_by:String} = ''
            OR pubkey IN (
                SELECT arrayJoin(entries)
                FROM current_lists FINAL
                WHERE list = concat('3:', {followed_by:String}, ':')
            )
        )
        AND (
            empty(others)
            OR video_key IN (
                SELECT video_key
                FROM listed_videos FINAL
                WHERE list IN (SELECT concat('#', arrayJoin(others)))
                GROUP BY video_key
                HAVING uniqExact(list) = length(arrayDistinct(others))
            )
        )
        AND ({platform:String} = '' OR platform = {platform:String})
        AND ({exclude_platform:String} = '' OR platform != {exclude_platform:String})
        AND (platform = 'vine') IN {classic:Array(UInt8)}
        AND sensitive IN {sensitive:Array(UInt8)}
        AND published_at >= {since:UInt32}
        AND published_at <= {before:UInt32}
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
        AND (
            {after_id:String} = ''
            OR (-place, -toInt64(published_at), id) > (
                -{after_place:Float64},
                -toInt64({after_published_at:UInt32}),
                {after_id:String}
            )
        )
    ORDER BY
        tier ASC,
        place DESC,
        published_at DESC,
        id ASC
    LIMIT {row_limit:UInt16} + {row_offset:UInt32}
    UNION ALL
    -- A date in the future is no more than fresh, so that its place is not that of its tier.
    SELECT
        video_key,
        id,
        published_at,
        toFloat64(if({trusted:Bool}, trusted_score, plain_score)) AS place
    FROM listed_videos FINAL
    WHERE list = 'recent'
        AND tier < -toInt64({ranked_at:UInt32})
        AND kind IN {kinds:Array(UInt16)}
        AND ({author:String} = '' OR pubkey = {author:String})
        AND (
            {followed_by:String} = ''
            OR pubkey IN (
                SELECT arrayJoin(entries)
                FROM current_lists FINAL
                WHERE list = concat('3:', {followed_by:String}, ':')
            )
        )
        AND (
            empty(others)
            OR video_key IN (
                SELECT video_key
                FROM listed_videos FINAL
                WHERE list IN (SELECT concat('#', arrayJoin(others)))
                GROUP BY video_key
                HAVING uniqExact(list) = length(arrayDistinct(others))
            )
        )
        AND ({platform:String} = '' OR platform = {platform:String})
        AND ({exclude_platform:String} = '' OR platform != {exclude_platform:String})
        AND (platform = 'vine') IN {classic:Array(UInt8)}
        AND sensitive IN {sensitive:Array(UInt8)}
        AND published_at >= {since:UInt32}
        AND published_at <= {before:UInt32}
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
        AND (
            {after_id:String} = ''
            OR (-place, -toInt64(published_at), id) > (
                -{after_place:Float64},
                -toInt64({after_published_at:UInt32}),
                {after_id:String}
            )
        )
)
ORDER BY
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread in small blocks: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 256
