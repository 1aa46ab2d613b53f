-- People with live videos, by what these got.
SELECT
    pubkey,
    count() AS video_count,
    sum(found.engagement_score) AS engagement_score,
    sum(found.reactions) AS reactions,
    sum(found.comments) AS comments,
    sum(found.reposts) AS reposts,
    sum(found.views) AS views,
    -- added as whole numbers, so that no order of adding matters
    sum(toUInt64(round(found.loops * 1000))) / 1000 AS loops
FROM video_stats AS found FINAL
WHERE live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
GROUP BY pubkey
ORDER BY
    engagement_score DESC,
    video_count DESC,
    pubkey ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
-- One thread: what several read side by side has to be put together again.
SETTINGS max_threads = 1
