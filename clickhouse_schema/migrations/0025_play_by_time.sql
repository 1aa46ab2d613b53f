-- What was played in a span of time, by time: all playbacks were read for each leaderboard, four times.

-- Of each playback what it counts for, whether it tells of a start or of loops.
ALTER TABLE playbacks_by_time ADD COLUMN IF NOT EXISTS milliloops UInt32;

ALTER TABLE playbacks_by_time_mv MODIFY QUERY
SELECT
    created_at,
    target,
    event_id,
    pubkey,
    session,
    milliloops
FROM playbacks
WHERE session != '' OR milliloops > 0;

-- What was there before; where there was a row without its loops, the later one counts.
INSERT INTO playbacks_by_time (created_at, target, event_id, pubkey, session, milliloops)
SELECT
    created_at,
    target,
    event_id,
    pubkey,
    session,
    milliloops
FROM playbacks
WHERE milliloops > 0;

DROP VIEW IF EXISTS played_days;

-- What one viewer played of one video on one UTC day from second {since:UInt32} on, with the caps of
-- video_stats: from 0 on it adds up to the counts there.
CREATE VIEW IF NOT EXISTS played_days AS
WITH
    aliases AS (
        SELECT DISTINCT
            id,
            video_key
        FROM video_aliases
        WHERE id IN (
            SELECT target
            FROM playbacks_by_time
            WHERE created_at >= {since:UInt32}
                AND created_at <= {now:UInt32} + 900
                -- an id: addresses are longer
                AND length(target) = 64
        )
            AND created_at <= {now:UInt32} + 900
    )
SELECT
    video_key,
    viewer,
    play.1 AS day,
    least(sum(play.2), 100) AS day_views,
    least(sum(play.3), 10000000) AS day_milliloops
FROM (
    SELECT
        if(aliases.video_key != '', aliases.video_key, recent.target) AS video_key,
        recent.pubkey AS viewer,
        arraySort(groupArray((intDiv(recent.created_at, 86400), recent.milliloops))) AS played,
        -- a session that starts several times is one view, on the day of its first start
        arrayMap(
            (of_day, place) -> (of_day.1, toUInt64(place = 1 AND session != ''), of_day.2),
            played,
            arrayEnumerate(played)
        ) AS plays
    FROM playbacks_by_time AS recent FINAL
    LEFT JOIN aliases ON recent.target = aliases.id
    WHERE recent.created_at >= {since:UInt32}
        AND recent.created_at <= {now:UInt32} + 900
        AND (aliases.video_key != '' OR length(recent.target) != 64)
    GROUP BY
        video_key,
        viewer,
        session
)
ARRAY JOIN plays AS play
GROUP BY
    video_key,
    viewer,
    day
HAVING day_views > 0 OR day_milliloops > 0;
