-- What the parts hold as a whole, so that those without what is new are not looked into at all.

-- An index of the same was looked at only after the keys had been looked for.
ALTER TABLE engagement_targets DROP INDEX IF EXISTS created_at_index;

-- ClickHouse writes them when it merges; a part that has none is looked into.
ALTER TABLE engagement_targets
    ADD STATISTICS IF NOT EXISTS created_at TYPE minmax;

ALTER TABLE video_stats
    ADD STATISTICS IF NOT EXISTS version TYPE minmax;

-- The parts that were there before.
ALTER TABLE engagement_targets
    MATERIALIZE STATISTICS created_at
SETTINGS mutations_sync = 2;

ALTER TABLE video_stats
    MATERIALIZE STATISTICS version
SETTINGS mutations_sync = 2;
