-- Live videos by playbacks that were started in the last 24 hours, most first, then all others, newest first.
WITH
    -- if hashtags
    (
        -- include folded_hashtag
    ) AS folded,
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
                    -- what tells of loops alone starts nothing
                    AND session != ''
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
        -- end
        -- include author_filters
        -- include video_filters
        -- if collaborator
        AND arrayExists(
            tag -> tag[1] = 'p'
                AND tag[2] = {collaborator:String}
                AND lower(tag[4]) = 'collaborator',
            tags
        )
        -- if since
        AND published_at >= {since:UInt32}
        -- if before
        AND published_at <= {before:UInt32}
        -- end
        -- include after_place
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
        -- include list_filters
        -- include author_filters
        -- include video_filters
        -- include tier_filters
        -- include after_place
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
