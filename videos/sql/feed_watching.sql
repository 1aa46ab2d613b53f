-- Live videos by playbacks that were started in the last 24 hours, most first, then all others, newest first.
WITH
    -- if hashtags
    (hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
        extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
    )))) AS folded,
    -- end
    -- asked once, as one value: the keys, and how many views each has
    (
        SELECT (groupArray(played_key), groupArray(views))
        FROM (
            SELECT
                played_key,
                -- what one viewer starts is capped, as in all views
                sum(least(sessions, 100)) AS views
            FROM (
                SELECT
                    if(aliases.video_key != '', aliases.video_key, target) AS played_key,
                    playbacks_by_time.pubkey AS viewer,
                    uniqExact(session) AS sessions
                FROM playbacks_by_time
                LEFT JOIN (
                    SELECT
                        id,
                        video_key
                    FROM video_aliases
                    WHERE id IN (
                        SELECT target
                        FROM playbacks_by_time
                        WHERE created_at > toInt64({ranked_at:UInt32}) - 86400
                            AND created_at <= {ranked_at:UInt32} + 900
                            -- an id: addresses are longer
                            AND length(target) = 64
                    )
                        AND created_at <= {ranked_at:UInt32} + 900
                ) AS aliases ON playbacks_by_time.target = aliases.id
                WHERE playbacks_by_time.created_at > toInt64({ranked_at:UInt32}) - 86400
                    AND playbacks_by_time.created_at <= {ranked_at:UInt32} + 900
                GROUP BY
                    played_key,
                    viewer
            )
            GROUP BY played_key
        )
    ) AS watched
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    place
FROM (
    SELECT
        video_key,
        id,
        pubkey,
        published_at,
        toFloat64(transform(video_key, arrayPushBack(watched.1, ''), arrayPushBack(watched.2, 0), 0)) AS place
    FROM video_stats FINAL
    WHERE video_key IN (SELECT arrayJoin(watched.1))
        AND live
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
        -- if hashtags
        AND hasAll(hashtags, arrayMap(hashtag -> folded(hashtag), {hashtags:Array(String)}))
        -- if author
        AND pubkey = {author:String}
        -- if collaborator
        AND arrayExists(
            tag -> tag[1] = 'p'
                AND tag[2] = {collaborator:String}
                AND lower(tag[4]) = 'collaborator',
            tags
        )
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
        AND published_at >= {since:UInt32}
        -- if before
        AND published_at <= {before:UInt32}
        -- if after
        AND (-place, -toInt64(published_at), id) > (
            -{after_place:Float64},
            -toInt64({after_published_at:UInt32}),
            {after_id:String}
        )
        -- end
    UNION ALL
    SELECT
        video_key,
        id,
        pubkey,
        published_at,
        0. AS place
    FROM listed_videos FINAL
    WHERE expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
        AND video_key NOT IN (SELECT arrayJoin(watched.1))
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
        AND (-place, -toInt64(published_at), id) > (
            -{after_place:Float64},
            -toInt64({after_published_at:UInt32}),
            {after_id:String}
        )
        -- end
    ORDER BY
        tier ASC,
        id ASC
    LIMIT {row_limit:UInt16} + {row_offset:UInt32}
)
ORDER BY
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread, a granule at a time: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 128
