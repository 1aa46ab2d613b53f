-- Playback (kind 22236): what each view event says about the video that it names.

-- A playback starts in an event of phase "start", or in one without a phase, which tells of a whole
-- playback. Loops come with phase "end" or without a phase. Any other phase says nothing.
CREATE TABLE IF NOT EXISTS playbacks
(
    target String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    -- of the started playback, empty when the event starts none
    session String CODEC(ZSTD(1)),
    -- thousandths of a loop, whole numbers, so that no order of adding matters
    milliloops UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (target, event_id)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS playbacks_mv TO playbacks AS
SELECT
    if(address != '', address, last_id) AS target,
    id AS event_id,
    pubkey,
    created_at,
    multiIf(phase NOT IN ('whole', 'start'), '', session != '', session, id) AS session,
    -- more than a thousand loops in one event is absurd
    if(
        phase IN ('whole', 'end'),
        if(length(loops[1]) > 4, 1000000, toUInt32(least(toUInt64OrZero(thousandths), 1000000))),
        0
    ) AS milliloops
FROM (
    SELECT
        id,
        pubkey,
        created_at,
        arrayLast(
            tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
            tags
        )[2] AS address,
        arrayLast(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS last_id,
        arrayFirst(tag -> tag[1] = 'phase', tags) AS phase_tag,
        if(empty(phase_tag), 'whole', phase_tag[2]) AS phase,
        arrayFirst(tag -> tag[1] = 'session', tags)[2] AS session,
        arrayFirst(tag -> tag[1] = 'loops', tags)[2] AS loops_text,
        extractGroups(
            if(match(loops_text, '^[0-9]'), loops_text, ''),
            '^0*([0-9]*)(?:[.]([0-9]{1,3})[0-9]*)?$'
        ) AS loops,
        concat(loops[1], rightPad(loops[2], 3, '0')) AS thousandths
    FROM view_events_local
)
WHERE target != '' AND phase IN ('whole', 'start', 'end');

-- The way back, for the event that is erased.
CREATE TABLE IF NOT EXISTS playback_targets
(
    event_id String CODEC(ZSTD(1)),
    target String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY event_id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS playback_targets_mv TO playback_targets AS
SELECT
    event_id,
    target
FROM playbacks;
