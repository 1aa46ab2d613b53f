-- Live videos with a hashtag, newest first; folded as the videos' own hashtags are.
SELECT video_key
FROM video_stats FINAL
WHERE has(
    hashtags,
    normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
        extract({hashtag:String}, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
    )))
)
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
