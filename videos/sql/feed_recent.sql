-- Live videos by when they were published, newest first: of all, or of one author, collaborator or hashtag.
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
    toFloat64(published_at) AS place
FROM listed_videos FINAL
WHERE expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
    -- include list_filters
    -- include author_filters
    -- include video_filters
    -- include tier_filters
    -- if after
    AND tier >= -toInt64({after_published_at:UInt32})
    AND (tier, id) > (-toInt64({after_published_at:UInt32}), {after_id:String})
    -- end
ORDER BY
    tier ASC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
-- One thread, a granule at a time: it stops where the page is full.
SETTINGS max_threads = 1, max_block_size = 128
