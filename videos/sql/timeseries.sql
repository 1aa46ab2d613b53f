-- What happened to a video in each of the latest hours, days or weeks (UTC), newest first. Everybody's
-- reaction and repost counts once, when they first did it, so that all spans add up to the video's row.
WITH
    targets AS (
        -- include targets
    ),
    happened AS (
        SELECT
            relation,
            min(created_at) AS at
        FROM engagement
        WHERE target IN targets
            AND relation IN ('reaction', 'comment', 'repost')
            -- include live_acts
            -- include unless_known
        GROUP BY
            relation,
            if(relation = 'comment', event_id, actor)
        UNION ALL
        -- what one viewer starts on one day is capped, as in all views
        SELECT
            'view' AS relation,
            at
        FROM (
            SELECT
                pubkey,
                session,
                min(created_at) AS at
            FROM playbacks
            WHERE target IN targets AND created_at <= {now:UInt32} + 900 AND session != ''
            GROUP BY
                pubkey,
                session
        )
        ORDER BY at ASC
        LIMIT 100 BY pubkey, intDiv(at, 86400)
    ),
    -- 1970 began on a Thursday: weeks are shifted so that they begin on Mondays
    (
        (second) -> intDiv(second + {shift_seconds:UInt32}, {span_seconds:UInt32}) * {span_seconds:UInt32}
            - {shift_seconds:UInt32}
    ) AS start_of
SELECT
    toUInt32(start_of({now:UInt32}) - back * {span_seconds:UInt32}) AS start,
    counts.reactions AS reactions,
    counts.comments AS comments,
    counts.reposts AS reposts,
    counts.views AS views
FROM (SELECT arrayJoin(range({row_limit:UInt16})) AS back) AS spans
LEFT JOIN (
    SELECT
        -- what is dated a little ahead of the clock has happened now
        toUInt32(start_of(least(at, {now:UInt32}))) AS happened_in,
        countIf(relation = 'reaction') AS reactions,
        countIf(relation = 'comment') AS comments,
        countIf(relation = 'repost') AS reposts,
        countIf(relation = 'view') AS views
    FROM happened
    GROUP BY happened_in
) AS counts ON start = counts.happened_in
ORDER BY start DESC
