-- Playback by video, viewer and day, for questions about a span of time.

-- What one viewer played of one video on one UTC day from second {since:UInt32} on, with the caps of
-- video_stats: from 0 on it adds up to the counts there.
CREATE VIEW IF NOT EXISTS played_days AS
WITH
    recent AS (
        SELECT
            target,
            event_id,
            pubkey,
            created_at,
            session,
            milliloops
        FROM playbacks FINAL
        WHERE created_at >= {since:UInt32} AND created_at <= {now:UInt32} + 900
    ),
    recent_of_videos AS (
        SELECT
            if(match(target, '^3423[56]:'), target, aliases.video_key) AS video_key,
            recent.pubkey AS viewer,
            created_at,
            session,
            milliloops
        FROM recent
        LEFT JOIN (
            SELECT DISTINCT
                id,
                video_key
            FROM video_aliases
            WHERE id IN (SELECT target FROM recent) AND created_at <= {now:UInt32} + 900
        ) AS aliases ON recent.target = aliases.id
    )
SELECT
    video_key,
    viewer,
    day,
    least(sum(sessions), 100) AS day_views,
    least(sum(loops), 10000000) AS day_milliloops
FROM (
    -- a session that starts several times is one view, on the day of its first start
    SELECT
        video_key,
        viewer,
        intDiv(min(created_at), 86400) AS day,
        1 AS sessions,
        0 AS loops
    FROM recent_of_videos
    WHERE session != '' AND video_key != ''
    GROUP BY
        video_key,
        viewer,
        session
    UNION ALL
    SELECT
        video_key,
        viewer,
        intDiv(created_at, 86400) AS day,
        0 AS sessions,
        sum(milliloops) AS loops
    FROM recent_of_videos
    WHERE milliloops > 0 AND video_key != ''
    GROUP BY
        video_key,
        viewer,
        day
)
GROUP BY
    video_key,
    viewer,
    day;
