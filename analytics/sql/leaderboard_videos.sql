-- Live videos that were played since a moment and can be played, by the views since then.
SELECT
    video_key,
    sum(day_views) AS views,
    uniqExactIf(viewer, day_views > 0) AS unique_viewers,
    sum(day_milliloops) / 1000 AS loops
FROM played_days(now = {now:UInt32}, since = {since:UInt32})
WHERE video_key IN (
    SELECT video_key
    FROM listed_videos FINAL
    WHERE list = 'views'
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
)
GROUP BY video_key
HAVING views > 0 OR loops > 0
ORDER BY
    views DESC,
    loops DESC,
    video_key ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
