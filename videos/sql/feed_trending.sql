-- Live videos of the last 30 days by engagement that fades with age, most first.
SELECT video_key
FROM trending_videos(now = {now:UInt32})
WHERE kind IN {kinds:Array(UInt16)}
ORDER BY
    trending_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
