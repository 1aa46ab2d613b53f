-- How much there is (decision D12): distinct events, deleted ones included, and live videos.
SELECT
    (
        -- FINAL: its key is all of an event's row, so that this counts each once
        SELECT count()
        FROM events_by_kind FINAL
        WHERE created_at <= {now:UInt32} + 900
    ) AS total_events,
    count() AS total_videos,
    countIf(platform = 'vine') AS vine_videos
FROM videos(now = {now:UInt32})
