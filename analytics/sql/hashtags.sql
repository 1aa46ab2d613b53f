-- Hashtags of live videos that hold a text, with the numbers of their videos: those that begin with it
-- first; by what their videos trend by, or by how many videos there are.
WITH
    caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text,
    page AS (
        SELECT
            substring(list, 2) AS name,
            count() AS video_count,
            uniqExact(pubkey) AS unique_creators,
            toUInt64(floor(sum(toUInt64(round(loops * 1000))) / 1000)) AS total_loops,
            max(published_at) AS last_used,
            -- added as whole numbers: fractions would add up to another place in another order
            sum(toUInt64(round(
                1000000 * if({trusted:Bool}, trusted_score, toFloat64(plain_score)) * exp(
                    -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
                )
            ))) / 1000000 AS trending_score,
            countIf(published_at + 86400 > {now:UInt32}) AS videos_24h,
            countIf(published_at + 7 * 86400 > {now:UInt32}) AS videos_7d,
            argMaxIf(
                video_key,
                (if({trusted:Bool}, trusted_score, toFloat64(plain_score)), engagement_score, published_at, video_key),
                presentable
            ) AS shown_key
        FROM listed_videos FINAL
        WHERE startsWith(list, '#')
            AND position(substring(list, 2), folded_text) > 0
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
        GROUP BY list
        ORDER BY
            startsWith(name, folded_text) DESC,
            if({by_trend:UInt8}, trending_score, 0) DESC,
            video_count DESC,
            name ASC
        LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
    )
SELECT
    page.name AS hashtag,
    video_count,
    unique_creators,
    total_loops,
    last_used,
    trending_score,
    videos_24h,
    videos_7d,
    pictures.thumbnail AS thumbnail
FROM page
LEFT JOIN (
    SELECT
        video_key,
        thumbnail
    FROM video_stats FINAL
    WHERE video_key IN (SELECT shown_key FROM page)
) AS pictures ON page.shown_key = pictures.video_key
ORDER BY
    startsWith(hashtag, folded_text) DESC,
    if({by_trend:UInt8}, trending_score, 0) DESC,
    video_count DESC,
    hashtag ASC
