-- What takes events away: deletion requests (NIP-09) and requests to vanish (NIP-62).

-- One row for each target of each request. Kept for ever and matched with the target's author when
-- the read model is computed, so that it does not matter which of the two arrives first.
CREATE TABLE IF NOT EXISTS deletions
(
    -- an event id, or the address of a replaceable or addressable event of the same author
    target String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32,
    event_id String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (target, pubkey, event_id)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS deletions_mv TO deletions AS
SELECT
    deleted AS target,
    pubkey,
    created_at,
    id AS event_id
FROM events_local
ARRAY JOIN arrayDistinct(arrayMap(
    tag -> tag[2],
    arrayFilter(
        tag -> (tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'))
            OR (
                tag[1] = 'a'
                AND match(tag[2], '^(0|3|1[0-9]{4}|3[0-9]{4}):[0-9a-f]{64}:')
                AND splitByChar(':', tag[2])[2] = pubkey
            ),
        tags
    )
)) AS deleted
WHERE kind = 5;

-- Requests to vanish, with the relays that they name.
CREATE TABLE IF NOT EXISTS vanish_requests
(
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32,
    -- ALL_RELAYS, or host, port and path: the scheme, the case of the host, a default port and
    -- slashes at the end make no other relay (as funnel.nostr.relay_place)
    relays Array(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, id)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS vanish_requests_mv TO vanish_requests AS
SELECT
    id,
    pubkey,
    created_at,
    arrayDistinct(arrayMap(
        parts -> if(
            parts[2] = 'ALL_RELAYS' AND parts[1] = '' AND parts[3] = '',
            'ALL_RELAYS',
            concat(
                replaceRegexpOne(
                    lower(parts[2]),
                    if(lower(parts[1]) IN ('ws://', 'http://'), ':80$', ':443$'),
                    ''
                ),
                replaceRegexpOne(parts[3], '/+$', '')
            )
        ),
        arrayMap(
            tag -> extractGroups(tag[2], '^((?i:wss?|https?)://|)([^/?#]*)([^?#]*)'),
            arrayFilter(tag -> tag[1] = 'relay', tags)
        )
    )) AS relays
FROM (
    SELECT
        id,
        pubkey,
        created_at,
        tags
    FROM events_local
    WHERE kind = 62
);

-- What was erased stays out: nothing of the pubkey up to and including that second is accepted again.
-- Filled by the ingester and the projector for requests that concern this service, and by manage.py
-- vanish for those that come on paper.
CREATE TABLE IF NOT EXISTS vanish_barriers
(
    pubkey String,
    until UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, until);
