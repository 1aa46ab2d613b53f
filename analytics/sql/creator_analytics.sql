-- What happened to the live videos of one author since a day (UTC) began: to all, on each day, and to
-- each of those that got most. Everything counts as it does in the video row, when it happened first.
WITH
    intDiv({now:UInt32}, 86400) AS today,
    own AS (
        SELECT
            video_key,
            id
        FROM listed_videos FINAL
        WHERE list = concat('by:', {pubkey:String})
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
    ),
    -- all that may stand for each of them, which is called by the id of its current version
    targets_of_videos AS (
        SELECT
            video_key AS target,
            id AS video
        FROM own
        UNION DISTINCT
        SELECT
            versions.id AS target,
            own.id AS video
        FROM video_versions AS versions
        INNER JOIN own ON versions.video_key = own.video_key
        WHERE versions.video_key IN (SELECT video_key FROM own)
            AND versions.created_at <= {now:UInt32} + 900
    ),
    targets AS (SELECT target FROM targets_of_videos),
    happened AS (
        SELECT
            of_video.video AS video,
            relation,
            intDiv(min(created_at), 86400) AS day
        FROM engagement
        INNER JOIN targets_of_videos AS of_video ON engagement.target = of_video.target
        WHERE engagement.target IN targets
            AND relation IN ('reaction', 'comment', 'repost')
            -- include live_acts
            -- include unless_known
        GROUP BY
            video,
            relation,
            if(relation = 'comment', event_id, actor)
    ),
    -- what one viewer plays of one video on one day, capped as in all views and loops
    played AS (
        SELECT
            video,
            viewer,
            day,
            least(sum(sessions), 100) AS day_views,
            least(sum(milliloops), 10000000) AS day_milliloops
        FROM (
            SELECT
                of_video.video AS video,
                pubkey AS viewer,
                intDiv(min(created_at), 86400) AS day,
                1 AS sessions,
                0 AS milliloops
            FROM playbacks
            INNER JOIN targets_of_videos AS of_video ON playbacks.target = of_video.target
            WHERE playbacks.target IN targets
                AND created_at <= {now:UInt32} + 900
                AND session != ''
            GROUP BY
                video,
                viewer,
                session
            UNION ALL
            SELECT
                of_video.video AS video,
                pubkey AS viewer,
                intDiv(created_at, 86400) AS day,
                0 AS sessions,
                milliloops
            FROM playbacks FINAL
            INNER JOIN targets_of_videos AS of_video ON playbacks.target = of_video.target
            WHERE playbacks.target IN targets
                AND created_at <= {now:UInt32} + 900
                AND milliloops > 0
        )
        GROUP BY
            video,
            viewer,
            day
    )
SELECT
    part,
    day,
    video,
    videos,
    views,
    unique_viewers,
    loops,
    reactions,
    comments,
    reposts
FROM (
    SELECT
        multiIf(grouping(day) = 0, 'day', grouping(video) = 0, 'video', 'all') AS part,
        day,
        video,
        uniqExact(video) AS videos,
        sum(day_views) AS views,
        uniqExactIf(viewer, day_views > 0) AS unique_viewers,
        sum(day_milliloops) / 1000 AS loops,
        countIf(relation = 'reaction') AS reactions,
        countIf(relation = 'comment') AS comments,
        countIf(relation = 'repost') AS reposts
    FROM (
        -- a video to which nothing happened is one of them too
        SELECT
            id AS video,
            today AS day,
            '' AS relation,
            '' AS viewer,
            0 AS day_views,
            0 AS day_milliloops
        FROM own
        UNION ALL
        SELECT
            video,
            -- what is dated a little ahead of the clock has happened now
            least(day, today) AS day,
            relation,
            '' AS viewer,
            0 AS day_views,
            0 AS day_milliloops
        FROM happened
        UNION ALL
        SELECT
            video,
            least(day, today) AS day,
            '' AS relation,
            viewer,
            day_views,
            day_milliloops
        FROM played
    )
    WHERE day >= {first_day:UInt32}
    GROUP BY GROUPING SETS ((), (day), (video))
)
QUALIFY part != 'video' OR {row_limit:UInt16} >= row_number() OVER (
    PARTITION BY part
    ORDER BY
        if({by_engagement:UInt8}, reactions + comments + reposts, views) DESC,
        views DESC,
        reactions + comments + reposts DESC,
        video ASC
)
ORDER BY
    part ASC,
    day ASC,
    if({by_engagement:UInt8}, reactions + comments + reposts, views) DESC,
    views DESC,
    reactions + comments + reposts DESC,
    video ASC
