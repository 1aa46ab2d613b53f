-- Live videos of the last 30 days by engagement that fades with age, most first.
SELECT video_key
FROM video_stats FINAL
WHERE kind IN {kinds:Array(UInt16)}
    AND toInt64(published_at) >= toInt64({now:UInt32}) - 30 * 86400
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    engagement_score * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
