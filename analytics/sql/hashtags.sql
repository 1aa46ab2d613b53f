-- Hashtags of live videos that hold a text, with the numbers of their videos: those that begin with it
-- first; by what their videos trend by, or by how many videos there are.
WITH
    caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text,
    -- whole millionths: fractions would add up to another place in another order
    (trusted_score, plain_score, published_at) -> toUInt64(round(
        1000000 * if({trusted:Bool}, trusted_score, toFloat64(plain_score)) * exp(
            -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
        )
    )) AS faded,
    -- all are told apart by what they are ordered by, the rest is worked out for those of the page
    (
        SELECT groupArray(list)
        FROM (
            SELECT
                list,
                count() AS video_count
            FROM listed_videos FINAL
            WHERE startsWith(list, '#')
                -- if text
                AND position(substring(list, 2), folded_text) > 0
                -- end
                AND expiration > {now:UInt32}
                AND created_at <= {now:UInt32} + 900
            GROUP BY list
            ORDER BY
                -- if text
                startsWith(substring(list, 2), folded_text) DESC,
                -- if by_trend
                sum(faded(trusted_score, plain_score, published_at)) DESC,
                -- end
                video_count DESC,
                list ASC
            LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
        )
    ) AS lists,
    -- a value, which is worked out once, however often it is named
    (
        SELECT groupArray((
            name,
            video_count,
            unique_creators,
            total_loops,
            last_used,
            trending_score,
            videos_24h,
            videos_7d,
            shown_key
        ))
        FROM (
            SELECT
                substring(list, 2) AS name,
                count() AS video_count,
                uniqExact(pubkey) AS unique_creators,
                toUInt64(floor(sum(toUInt64(round(loops * 1000))) / 1000)) AS total_loops,
                max(published_at) AS last_used,
                sum(faded(trusted_score, plain_score, published_at)) / 1000000 AS trending_score,
                countIf(published_at + 86400 > {now:UInt32}) AS videos_24h,
                countIf(published_at + 7 * 86400 > {now:UInt32}) AS videos_7d,
                argMaxIf(
                    video_key,
                    (if({trusted:Bool}, trusted_score, toFloat64(plain_score)), engagement_score, published_at, video_key),
                    presentable
                ) AS shown_key
            FROM listed_videos FINAL
            WHERE list IN (SELECT arrayJoin(lists))
                AND expiration > {now:UInt32}
                AND created_at <= {now:UInt32} + 900
            GROUP BY list
        )
    ) AS page
SELECT
    row.1 AS hashtag,
    row.2 AS video_count,
    row.3 AS unique_creators,
    row.4 AS total_loops,
    row.5 AS last_used,
    row.6 AS trending_score,
    row.7 AS videos_24h,
    row.8 AS videos_7d,
    pictures.thumbnail AS thumbnail
FROM (SELECT arrayJoin(page) AS row) AS page_rows
LEFT JOIN (
    SELECT
        video_key,
        thumbnail
    FROM video_stats FINAL
    WHERE video_key IN (SELECT arrayJoin(page.9))
) AS pictures ON page_rows.row.9 = pictures.video_key
ORDER BY
    -- if text
    startsWith(hashtag, folded_text) DESC,
    -- if by_trend
    trending_score DESC,
    -- end
    video_count DESC,
    hashtag ASC
-- One thread: what several read side by side has to be put together again.
SETTINGS max_threads = 1
