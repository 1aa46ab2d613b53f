-- Live videos by when they were published, newest first.
SELECT video_key
FROM video_stats FINAL
WHERE kind IN {kinds:Array(UInt16)}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
