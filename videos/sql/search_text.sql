-- Live videos whose texts hold every word, in one of several orders; by relevance those with more of
-- the words in the title come first.
WITH
    arrayMap(
        word -> caseFoldUTF8(normalizeUTF8NFC(word)),
        {words:Array(String)}
    ) AS folded_words,
    caseFoldUTF8(normalizeUTF8NFC(title)) AS folded_title
SELECT video_key
FROM video_stats FINAL
WHERE arrayAll(
    word -> position(
        concat(
            folded_title, '\n',
            caseFoldUTF8(normalizeUTF8NFC(content)), '\n',
            caseFoldUTF8(normalizeUTF8NFC(alt)), '\n',
            arrayStringConcat(hashtags, '\n')
        ),
        word
    ) > 0,
    folded_words
)
    AND kind IN {kinds:Array(UInt16)}
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
ORDER BY
    multiIf(
        {sorted_by:String} IN ('recent', 'published'), toFloat64(published_at),
        {sorted_by:String} IN ('popular', 'engagement'), toFloat64(engagement_score),
        {sorted_by:String} = 'loops', toFloat64(
            if(platform = 'vine' AND embedded_loops > 0, assumeNotNull(embedded_loops), loops)
        ),
        {sorted_by:String} = 'trending', if({trusted:Bool}, trusted_score, plain_score) * exp(
            -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
        ),
        toFloat64(arrayCount(word -> position(folded_title, word) > 0, folded_words))
    ) DESC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
