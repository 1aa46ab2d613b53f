-- Live videos that one pubkey has signed, newest first.
SELECT video_key
FROM videos(now = {now:UInt32})
WHERE pubkey = {pubkey:String}
ORDER BY
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
