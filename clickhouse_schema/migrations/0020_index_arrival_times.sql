-- When the events of a part came and what they are dated, so that new ones are not looked for in old parts.

-- A part has one entry.
ALTER TABLE events_local
    ADD INDEX IF NOT EXISTS inserted_at_index inserted_at TYPE minmax GRANULARITY 1000000;

ALTER TABLE view_events_local
    ADD INDEX IF NOT EXISTS inserted_at_index inserted_at TYPE minmax GRANULARITY 1000000;

ALTER TABLE engagement_targets
    ADD INDEX IF NOT EXISTS created_at_index created_at TYPE minmax GRANULARITY 1000000;

-- The parts that were there before.
ALTER TABLE events_local
    MATERIALIZE INDEX inserted_at_index
SETTINGS mutations_sync = 2;

ALTER TABLE view_events_local
    MATERIALIZE INDEX inserted_at_index
SETTINGS mutations_sync = 2;

ALTER TABLE engagement_targets
    MATERIALIZE INDEX created_at_index
SETTINGS mutations_sync = 2;
