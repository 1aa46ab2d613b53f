-- Live videos with a hashtag, newest first; folded as the videos' own hashtags are.
SELECT video_key
FROM videos(now = {now:UInt32})
WHERE has(
    hashtags,
    normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
        extract({hashtag:String}, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
    )))
)
ORDER BY
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
