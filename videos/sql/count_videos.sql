-- How many live videos a list has in all.
-- if hashtags
WITH
    (
        -- include folded_hashtag
    ) AS folded
-- end
SELECT count() AS total
FROM listed_videos FINAL
WHERE expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- if lists_of_followed
    AND list IN (
        SELECT concat('by:', arrayJoin(entries))
        FROM current_lists FINAL
        WHERE list = concat('3:', {followed_by:String}, ':')
    )
    -- end
    -- include list_filters
    -- include author_filters
    -- include video_filters
    -- include tier_filters
