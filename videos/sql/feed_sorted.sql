-- Live videos in any order: of one author, collaborator or hashtag, of those whom one follows, or of a span
-- of time. It reads all of these and sorts them.
WITH
    arrayMap(
        hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
            extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
        ))),
        {hashtags:Array(String)}
    ) AS wanted,
    multiIf(
        {collaborator:String} != '', concat('with:', {collaborator:String}),
        {author:String} != '', concat('by:', {author:String}),
        notEmpty(wanted), concat('#', wanted[1]),
        {followed_by:String} = '', 'recent',
        ''
    ) AS scope,
    if(startsWith(scope, '#'), arraySlice(wanted, 2), wanted) AS others
SELECT
    video_key,
    id,
    published_at,
    multiIf(
        {sorted_by:String} = 'recent', toFloat64(published_at),
        {sorted_by:String} = 'trending', if({trusted:Bool}, trusted_score, plain_score) * exp(
            -greatest(0, toInt64({ranked_at:UInt32}) - toInt64(published_at)) / 3600 / 168
        ),
        {sorted_by:String} = 'likes', toFloat64(likes),
        {sorted_by:String} = 'comments', toFloat64(comments),
        {sorted_by:String} = 'loops', listed_loops,
        toFloat64(engagement_score)
    ) AS place
FROM listed_videos FINAL
WHERE list IN (
        SELECT scope WHERE scope != ''
        UNION ALL
        SELECT concat('by:', arrayJoin(entries))
        FROM current_lists FINAL
        WHERE scope = '' AND list = concat('3:', {followed_by:String}, ':')
    )
    AND tier >= -toInt64({before:UInt32})
    AND tier <= -toInt64({since:UInt32})
    AND (
        {sorted_by:String} != 'trending'
        OR toInt64(published_at) >= toInt64({ranked_at:UInt32}) - 30 * 86400
    )
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
