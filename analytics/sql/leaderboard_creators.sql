-- People whose live videos were played since a moment, by the views since then.
SELECT
    found.pubkey AS pubkey,
    sum(played.day_views) AS views,
    uniqExactIf(played.viewer, played.day_views > 0) AS unique_viewers,
    sum(played.day_milliloops) / 1000 AS loops,
    uniqExactIf(played.video_key, played.day_views > 0) AS videos_with_views
FROM (
    SELECT
        video_key,
        viewer,
        day_views,
        day_milliloops
    FROM played_days(now = {now:UInt32}, since = {since:UInt32})
) AS played
INNER JOIN (
    SELECT
        video_key,
        pubkey
    FROM listed_videos FINAL
    WHERE list = 'recent'
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
) AS found ON played.video_key = found.video_key
GROUP BY found.pubkey
HAVING views > 0 OR loops > 0
ORDER BY
    views DESC,
    loops DESC,
    pubkey ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
