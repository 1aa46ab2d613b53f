-- Hashtags of live videos that hold a text, with the numbers of their videos: those that begin with it
-- first; by how much is going on, or by how many videos there are.
WITH caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text
SELECT
    hashtag,
    count() AS video_count,
    uniqExact(pubkey) AS unique_creators,
    toUInt64(floor(sum(toUInt64(round(loops * 1000))) / 1000)) AS total_loops,
    max(published_at) AS last_used,
    -- added as whole numbers: fractions would add up to another place in another order
    sum(toUInt64(round(
        1000000 * (1 + greatest(engagement_score, 0)) * exp(
            -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
        )
    ))) / 1000000 AS trending_score,
    countIf(published_at + 86400 > {now:UInt32}) AS videos_24h,
    countIf(published_at + 7 * 86400 > {now:UInt32}) AS videos_7d,
    argMaxIf(
        found.thumbnail,
        (engagement_score, published_at, video_key),
        found.thumbnail != '' AND NOT sensitive
    ) AS thumbnail
FROM video_stats AS found FINAL
ARRAY JOIN hashtags AS hashtag
WHERE position(hashtag, folded_text) > 0
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
GROUP BY hashtag
ORDER BY
    startsWith(hashtag, folded_text) DESC,
    if({by_trend:UInt8}, trending_score, 0) DESC,
    video_count DESC,
    hashtag ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
