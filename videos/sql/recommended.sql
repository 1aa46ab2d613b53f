-- Live videos for a person, by how much their hashtags and authors weigh for that person, which fades with
-- age, then by engagement. Their own videos and those they have acted on are left out.
SELECT
    video_key,
    id,
    published_at,
    (
        arraySum(
            hashtag -> arrayElement(
                arrayConcat([toUInt64(0)], {hashtag_weights:Array(UInt64)}),
                indexOf({interesting_hashtags:Array(String)}, hashtag) + 1
            ),
            hashtags
        )
        -- somebody's videos are closer to each other than those of one hashtag
        + 2 * arrayElement(
            arrayConcat([toUInt64(0)], {author_weights:Array(UInt64)}),
            indexOf({interesting_authors:Array(String)}, pubkey) + 1
        )
    ) * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) AS place
FROM video_stats FINAL
WHERE pubkey != {pubkey:String}
    AND video_key NOT IN {known_videos:Array(String)}
    AND (
        empty({hashtags:Array(String)})
        OR hasAll(
            hashtags,
            arrayMap(
                hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
                    extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
                ))),
                {hashtags:Array(String)}
            )
        )
    )
    AND sensitive IN {sensitive:Array(UInt8)}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    place DESC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
