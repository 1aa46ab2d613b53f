-- How much there is (decision D12): distinct events, deleted ones included, and live videos.
SELECT
    (
        SELECT uniqExact(id)
        FROM events_by_kind
        WHERE created_at <= {now:UInt32} + 900
    ) AS total_events,
    count() AS total_videos,
    countIf(platform = 'vine') AS vine_videos
FROM videos(now = {now:UInt32})
