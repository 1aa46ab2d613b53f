-- Categories, which are hashtags that everybody knows, by how many live videos have them.
SELECT
    hashtag AS name,
    count() AS video_count
FROM video_stats FINAL
ARRAY JOIN hashtags AS hashtag
WHERE hashtag IN {names:Array(String)}
    AND position(hashtag, lowerUTF8({text:String})) > 0
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
GROUP BY hashtag
ORDER BY
    video_count DESC,
    name ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
