-- Playbacks by time: which videos are watched now.

CREATE TABLE IF NOT EXISTS playbacks_by_time
(
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    target String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    -- of the started playback
    session String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (created_at, target, event_id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS playbacks_by_time_mv TO playbacks_by_time AS
SELECT
    created_at,
    target,
    event_id,
    pubkey,
    session
FROM playbacks
WHERE session != '';

-- What was there before the view; a row that it has taken meanwhile collapses with its copy.
INSERT INTO playbacks_by_time
SELECT
    created_at,
    target,
    event_id,
    pubkey,
    session
FROM playbacks
WHERE session != '';
