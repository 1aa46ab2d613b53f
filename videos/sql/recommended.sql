-- Live videos for a person: those of the last 30 days by how much their hashtags and authors weigh for that
-- person, which fades with age, then all others by engagement, those of a hashtag the newest first. Their own
-- videos and those they have acted on are left out.
WITH
    (
        -- include folded_hashtag
    ) AS folded,
    arrayMap(hashtag -> folded(hashtag), {hashtags:Array(String)}) AS wanted,
    arrayConcat(
        arrayMap(hashtag -> concat('#', hashtag), {interesting_hashtags:Array(String)}),
        arrayMap(author -> concat('by:', author), {interesting_authors:Array(String)})
    ) AS interesting_lists,
    -- somebody's videos are closer to each other than those of one hashtag
    arrayConcat(
        {hashtag_weights:Array(UInt64)},
        arrayMap(weight -> 2 * weight, {author_weights:Array(UInt64)})
    ) AS weights,
    -- lists by time are kept newest first
    30 * 86400 - toInt64({ranked_at:UInt32}) AS oldest_tier
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    engagement_score,
    list_tier,
    place
FROM (
    SELECT
        video_key,
        any(listed_videos.id) AS id,
        any(listed_videos.pubkey) AS pubkey,
        any(listed_videos.published_at) AS published_at,
        any(listed_videos.engagement_score) AS engagement_score,
        toInt64(0) AS list_tier,
        sum(transform(list, interesting_lists, weights, toUInt64(0))) * exp(
            -greatest(0, toInt64({ranked_at:UInt32}) - toInt64(any(listed_videos.published_at))) / 3600 / 168
        ) AS place
    FROM listed_videos FINAL
    WHERE list IN (SELECT arrayJoin(interesting_lists))
        AND tier <= oldest_tier
        AND listed_videos.pubkey != {pubkey:String}
        AND video_key NOT IN {known_videos:Array(String)}
        AND (
            empty(wanted)
            OR video_key IN (
                SELECT video_key
                FROM listed_videos FINAL
                WHERE list IN (SELECT concat('#', arrayJoin(wanted)))
            )
        )
        AND sensitive IN {sensitive:Array(UInt8)}
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
    GROUP BY video_key
    UNION ALL
    -- in the order of the list
    SELECT
        video_key,
        id,
        pubkey,
        published_at,
        engagement_score,
        tier AS list_tier,
        0. AS place
    FROM listed_videos FINAL
    WHERE list = if(empty(wanted), 'popular', concat('#', wanted[1]))
        AND video_key NOT IN (
            SELECT video_key
            FROM listed_videos FINAL
            WHERE list IN (SELECT arrayJoin(interesting_lists)) AND tier <= oldest_tier
        )
        AND pubkey != {pubkey:String}
        AND video_key NOT IN {known_videos:Array(String)}
        AND sensitive IN {sensitive:Array(UInt8)}
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
    -- if after
        -- after something of interest comes all of the list
        AND (
            {after_place:Float64} > 0
            OR (
                tier >= {after_list_tier:Int64}
                AND (tier, -engagement_score, -toInt64(published_at), id) > (
                    {after_list_tier:Int64},
                    -{after_engagement_score:Int64},
                    -toInt64({after_published_at:UInt32}),
                    {after_id:String}
                )
            )
        )
    -- end
    ORDER BY
        tier ASC,
        engagement_score DESC,
        published_at DESC,
        id ASC
    LIMIT {row_limit:UInt16} + {row_offset:UInt32}
)
-- if after
WHERE (-place, list_tier, -engagement_score, -toInt64(published_at), id) > (
    -{after_place:Float64},
    {after_list_tier:Int64},
    -{after_engagement_score:Int64},
    -toInt64({after_published_at:UInt32}),
    {after_id:String}
)
-- end
ORDER BY
    place DESC,
    list_tier ASC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread in small blocks: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 256
