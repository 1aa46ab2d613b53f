-- Live videos in whose texts every word is found at the beginning of a word, in one of several orders;
-- by relevance those come first whose title holds the words, whole ones before beginnings.
WITH
    (
        -- include folded_hashtag
    ) AS folded,
    -- the words come marked as in video_texts: whole, and without the mark of their end, so that they may
    -- go on. This is what the index knows of them.
    (
        SELECT arrayDistinct(arrayFlatten(arrayMap(
            word -> ngrams(word, 3),
            {begun_words:Array(String)}
        )))
    ) AS trigrams,
    matching AS (
        SELECT
            video_key,
            position(texts, '\n') AS title_end,
            arraySum(
                (whole, begun) -> multiIf(
                    position(texts, whole) BETWEEN 1 AND title_end, 3,
                    position(texts, begun) BETWEEN 1 AND title_end, 2,
                    position(texts, whole) > 0, 1,
                    0
                ),
                {words:Array(String)},
                {begun_words:Array(String)}
            ) AS relevance
        FROM video_texts FINAL
        WHERE hasAllTokens(texts, trigrams)
            AND arrayAll(word -> position(texts, word) > 0, {begun_words:Array(String)})
    )
SELECT
    video_stats.video_key AS video_key,
    id,
    pubkey,
    published_at,
    engagement_score,
    multiIf(
        {sorted_by:String} IN ('recent', 'published'), toFloat64(published_at),
        {sorted_by:String} IN ('popular', 'engagement'), toFloat64(engagement_score),
        {sorted_by:String} = 'loops', toFloat64(
            if(platform = 'vine' AND embedded_loops > 0, assumeNotNull(embedded_loops), loops)
        ),
        {sorted_by:String} = 'trending', if({trusted:Bool}, trusted_score, plain_score) * exp(
            -greatest(0, toInt64({ranked_at:UInt32}) - toInt64(published_at)) / 3600 / 168
        ),
        toFloat64(relevance)
    ) AS place
FROM video_stats FINAL
INNER JOIN matching ON video_stats.video_key = matching.video_key
WHERE video_stats.video_key IN (SELECT video_key FROM matching)
    AND kind IN {kinds:Array(UInt16)}
    AND (
        empty({hashtags:Array(String)})
        OR hasAll(hashtags, arrayMap(hashtag -> folded(hashtag), {hashtags:Array(String)}))
    )
    AND ({author:String} = '' OR pubkey = {author:String})
    AND (
        {followed_by:String} = ''
        OR pubkey IN (
            SELECT arrayJoin(entries)
            FROM current_lists FINAL
            WHERE list = concat('3:', {followed_by:String}, ':')
        )
    )
    AND (
        {collaborator:String} = ''
        OR arrayExists(
            tag -> tag[1] = 'p'
                AND tag[2] = {collaborator:String}
                AND lower(tag[4]) = 'collaborator',
            tags
        )
    )
    AND ({platform:String} = '' OR platform = {platform:String})
    AND ({exclude_platform:String} = '' OR platform != {exclude_platform:String})
    AND (platform = 'vine') IN {classic:Array(UInt8)}
    AND sensitive IN {sensitive:Array(UInt8)}
    AND published_at >= {since:UInt32}
    AND published_at <= {before:UInt32}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if after
    AND (-place, -engagement_score, -toInt64(published_at), id) > (
        -{after_place:Float64},
        -{after_engagement_score:Int64},
        -toInt64({after_published_at:UInt32}),
        {after_id:String}
    )
    -- end
ORDER BY
    place DESC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
