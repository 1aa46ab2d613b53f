-- Live videos that one pubkey has signed, newest first.
SELECT video_key
FROM video_stats FINAL
WHERE pubkey = {pubkey:String}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
