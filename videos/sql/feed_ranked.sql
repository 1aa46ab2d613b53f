-- All live videos by people who like them, comments, engagement or loops, most first.
WITH
    (score -> if(score < 0, 1, -1) * toInt64(roundToExp2(toUInt64(abs(score))))) AS tier_of,
    arrayMap(
        hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
            extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
        ))),
        {hashtags:Array(String)}
    ) AS wanted,
    wanted AS others
SELECT
    video_key,
    id,
    published_at,
    multiIf(
        {sorted_by:String} = 'likes', toFloat64(likes),
        {sorted_by:String} = 'comments', toFloat64(comments),
        {sorted_by:String} = 'loops', listed_loops,
        toFloat64(engagement_score)
    ) AS place
FROM listed_videos FINAL
WHERE list = {sorted_by:String}
    AND tier >= if({after_id:String} = '', -9223372036854775807, tier_of(toInt64(floor({after_place:Float64}))))
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
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread in small blocks: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 256
