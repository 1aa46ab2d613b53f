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
    -- include lists_of_followed
    -- include list_filters
    -- include author_filters
    -- include video_filters
    -- include tier_filters
