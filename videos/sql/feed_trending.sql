-- Live videos of the last 30 days by what people do with them, which fades with age, most first.
SELECT
    video_key,
    id,
    published_at,
    toFloat64(
        if({trusted:Bool}, trusted_score, plain_score) * exp(
            -greatest(0, toInt64({ranked_at:UInt32}) - toInt64(published_at)) / 3600 / 168
        )
    ) AS place
FROM video_stats FINAL
WHERE kind IN {kinds:Array(UInt16)}
    AND toInt64(published_at) >= toInt64({ranked_at:UInt32}) - 30 * 86400
    AND (
        empty({hashtags:Array(String)})
        OR hasAll(
            hashtags,
            arrayMap(
                hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
                    extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
                ))),
                {hashtags:Array(String)}
            )
        )
    )
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
        {collaborator:String} = ''
        OR arrayExists(
            tag -> tag[1] = 'p'
                AND tag[2] = {collaborator:String}
                AND lower(tag[4]) = 'collaborator',
            tags
        )
    )
    AND ({platform:String} = '' OR platform = {platform:String})
    AND ({exclude_platform:String} = '' OR platform != {exclude_platform:String})
    AND (platform = 'vine') IN {classic:Array(UInt8)}
    AND sensitive IN {sensitive:Array(UInt8)}
    AND published_at >= {since:UInt32}
    AND published_at <= {before:UInt32}
    AND live
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
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
