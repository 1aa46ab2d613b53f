-- Live videos in any order: of one author, collaborator or hashtag, of those whom one follows, or of a span
-- of time. It reads all of these and sorts them.
-- if hashtags
WITH
    (
        -- include folded_hashtag
    ) AS folded
-- end
SELECT
    video_key,
    id,
    pubkey,
    published_at,
    -- if by_number
    toFloat64({ranked_by:Identifier}) AS place
    -- if by_trend
    {score:Identifier} * exp(least(0, published_at - {ranked_at:UInt32}) / 3600 / 168) AS place
    -- end
FROM listed_videos FINAL
WHERE expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if by_trend
    AND published_at >= {ranked_at:UInt32} - 30 * 86400
    -- end
    -- include lists_of_followed
    -- include list_filters
    -- include author_filters
    -- include video_filters
    -- include tier_filters
    -- include after_place
ORDER BY
    place DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
