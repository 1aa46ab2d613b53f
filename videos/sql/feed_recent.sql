-- Live videos by when they were published, newest first: of all, or of one author, collaborator or hashtag.
-- if hashtags
WITH
    (hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
        extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
    )))) AS folded
-- end
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    toFloat64(published_at) AS place
FROM listed_videos FINAL
WHERE expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if list
    AND list = {list:String}
    -- if hashtag
    AND list = concat('#', folded({hashtag:String}))
    -- if other_hashtags
    AND video_key IN (
        SELECT video_key
        FROM listed_videos FINAL
        WHERE list IN (SELECT concat('#', folded(arrayJoin({other_hashtags:Array(String)}))))
        GROUP BY video_key
        HAVING uniqExact(list) = length(arrayDistinct(arrayMap(
            hashtag -> folded(hashtag),
            {other_hashtags:Array(String)}
        )))
    )
    -- if author
    AND pubkey = {author:String}
    -- if followed_by
    AND pubkey IN (
        SELECT arrayJoin(entries)
        FROM current_lists FINAL
        WHERE list = concat('3:', {followed_by:String}, ':')
    )
    -- if kinds
    AND kind IN {kinds:Array(UInt16)}
    -- if platform
    AND platform = {platform:String}
    -- if exclude_platform
    AND platform != {exclude_platform:String}
    -- if classic
    AND (platform = 'vine') IN {classic:Array(UInt8)}
    -- if sensitive
    AND sensitive IN {sensitive:Array(UInt8)}
    -- if since
    AND tier <= -toInt64({since:UInt32})
    -- if before
    AND tier >= -toInt64({before:UInt32})
    -- if after
    AND tier >= -toInt64({after_published_at:UInt32})
    AND (tier, id) > (-toInt64({after_published_at:UInt32}), {after_id:String})
    -- end
ORDER BY
    tier ASC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread, a granule at a time: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 128
