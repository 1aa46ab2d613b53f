-- The record of migrations: one row per change of a migration's state, the newest counts.
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    -- started, applied, or pending again after --resolve
    state LowCardinality(String),
    -- sha256 of the file
    checksum String,
    -- how many of its statements are done
    statements_done UInt16,
    version UInt32,
    recorded_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name
