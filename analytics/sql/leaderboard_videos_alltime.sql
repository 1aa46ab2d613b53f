-- Live videos that were ever played and can be played, by views.
SELECT
    video_key,
    views,
    unique_viewers,
    loops
FROM video_stats FINAL
WHERE (views > 0 OR loops > 0)
    AND video_url != ''
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    views DESC,
    loops DESC,
    video_key ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
