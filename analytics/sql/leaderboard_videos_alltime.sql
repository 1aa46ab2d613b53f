-- Live videos that were ever played and can be played, by views.
WITH
    page AS (
        SELECT video_key
        FROM listed_videos FINAL
        WHERE list = 'views'
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
        ORDER BY
            tier ASC,
            views DESC,
            loops DESC,
            video_key ASC
        LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
    )
SELECT
    video_key,
    views,
    unique_viewers,
    loops
FROM video_stats FINAL
WHERE video_key IN (SELECT video_key FROM page)
ORDER BY
    views DESC,
    loops DESC,
    video_key ASC
-- One thread in small blocks: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 256
