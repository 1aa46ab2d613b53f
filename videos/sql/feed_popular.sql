-- Live videos by engagement, most first.
SELECT video_key
FROM videos(now = {now:UInt32})
WHERE kind IN {kinds:Array(UInt16)}
ORDER BY
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
