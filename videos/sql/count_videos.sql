-- How many live videos a list has in all.
-- if hashtags
WITH
    (hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
        extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
    )))) AS folded
-- end
SELECT count() AS total
FROM listed_videos FINAL
WHERE expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if list
    AND list = {list:String}
    -- if hashtag
    AND list = concat('#', folded({hashtag:String}))
    -- if lists_of_followed
    AND list IN (
        SELECT concat('by:', arrayJoin(entries))
        FROM current_lists FINAL
        WHERE list = concat('3:', {followed_by:String}, ':')
    )
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
    -- end
