-- Live videos by when they were published, newest first: of all, or of one author, collaborator or hashtag.
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
        'recent'
    ) AS scope,
    if(startsWith(scope, '#'), arraySlice(wanted, 2), wanted) AS others
SELECT
    video_key,
    id,
    published_at,
    toFloat64(published_at) AS place
FROM listed_videos FINAL
WHERE list = scope
    AND tier >= -toInt64({before:UInt32})
    AND tier >= if({after_id:String} = '', -4294967295, -toInt64({after_published_at:UInt32}))
    AND tier <= -toInt64({since:UInt32})
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
        OR (tier, id) > (-toInt64({after_published_at:UInt32}), {after_id:String})
    )
ORDER BY
    tier ASC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread in small blocks: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 256
