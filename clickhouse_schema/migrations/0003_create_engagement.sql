-- What people do with videos, each act as the target that it names; joined with versions and deletions later.

-- One row for each thing that an event says about each target. A target is an event id or a video's
-- address, as the event names it: which video an id stands for is looked up when the read model is
-- computed, because the video may arrive later. ORDER BY target: all about one video lies together.
CREATE TABLE IF NOT EXISTS engagement
(
    target String CODEC(ZSTD(1)),
    -- reaction, comment, repost, quote, zap, report, label
    relation LowCardinality(String),
    event_id String CODEC(ZSTD(1)),
    -- reaction: vote or emoji. report: its type. label: its namespace and label. zap: its invoice.
    token String,
    -- reaction: the picture of a custom emoji (NIP-30)
    token_url String,
    -- who acts, and who signed (a zap receipt is signed by a payment server)
    actor String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    created_at UInt32 CODEC(Delta(4), ZSTD(1)),
    expiration UInt32,
    -- reaction by address: it counts unless this event id turns out to be something else (NIP-25)
    unless_known String CODEC(ZSTD(1)),
    -- zap: thousandths of a satoshi
    amount_msat UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (target, relation, event_id, token)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- NIP-25. The last e tag is the target, and tells which video it is. An address counts where that id
-- is absent or stays unknown, and k does not name another kind. Text that is neither a vote nor an
-- emoji is a reaction without a class. The variation selector U+FE0F is presentation: a red heart
-- with it and without it is one emoji.
CREATE MATERIALIZED VIEW IF NOT EXISTS reactions_mv TO engagement AS
SELECT
    named.1 AS target,
    'reaction' AS relation,
    id AS event_id,
    multiIf(
        text IN ('+', '', '-') OR picture != '', text,
        match(text, '^[0-9#*\\x{200d}\\x{e0020}-\\x{e007f}\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]{1,16}$')
            AND match(text, '[\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]'), text,
        'other'
    ) AS token,
    picture AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    named.2 AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        replaceAll(content, '\xEF\xB8\x8F', '') AS text,
        if(
            match(text, '^:[A-Za-z0-9_-]+:$'),
            arrayFirst(
                tag -> tag[1] = 'emoji' AND concat(':', tag[2], ':') = text AND tag[3] != '',
                tags
            )[3],
            ''
        ) AS picture,
        arrayLast(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS last_id,
        arrayLast(
            tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
            tags
        )[2] AS address,
        arrayFirst(tag -> tag[1] = 'k', tags)[2] AS target_kind
    FROM events_local
    WHERE kind = 7
)
ARRAY JOIN arrayFilter(
    pair -> pair.1 != '',
    [
        (last_id, ''),
        (if(target_kind IN ('', substring(address, 1, 5)), address, ''), last_id)
    ]
) AS named;

-- NIP-18. The clients of this field name an address alone, or an id. A repost that embeds a protected
-- event (NIP-70) is none.
CREATE MATERIALIZED VIEW IF NOT EXISTS reposts_mv TO engagement AS
SELECT
    if(address != '', address, last_id) AS target,
    'repost' AS relation,
    id AS event_id,
    '' AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayLast(
            tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
            tags
        )[2] AS address,
        arrayLast(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS last_id,
        if(embedded, JSONExtract(content, 'tags', 'Array(Array(String))'), []) AS embedded_tags
    FROM events_local
    WHERE kind IN (6, 16)
)
WHERE target != '' AND NOT arrayExists(tag -> tag[1] = '-', embedded_tags);

-- NIP-22: the root, in upper case, is what is commented. Replies to comments have the same root.
CREATE MATERIALIZED VIEW IF NOT EXISTS comments_mv TO engagement AS
SELECT
    if(root_address != '', root_address, root_id) AS target,
    'comment' AS relation,
    id AS event_id,
    '' AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayFirst(
            tag -> tag[1] = 'A' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
            tags
        )[2] AS root_address,
        arrayFirst(tag -> tag[1] = 'E' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS root_id
    FROM events_local
    WHERE kind = 1111
)
WHERE target != '';

-- NIP-10: older clients comment with kind 1. A marked root, else a marked reply, else the first
-- unmarked e tag. A mention is no comment.
CREATE MATERIALIZED VIEW IF NOT EXISTS notes_mv TO engagement AS
SELECT
    arrayFirst(reference -> reference != '', [root_id, reply_id, first_id]) AS target,
    'comment' AS relation,
    id AS event_id,
    '' AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayFilter(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags) AS references,
        arrayFirst(tag -> tag[4] = 'root', references)[2] AS root_id,
        arrayFirst(tag -> tag[4] = 'reply', references)[2] AS reply_id,
        arrayFirst(tag -> tag[4] NOT IN ('root', 'reply', 'mention'), references)[2] AS first_id
    FROM events_local
    WHERE kind = 1
)
WHERE target != '';

-- NIP-18: a q tag names what is quoted, by id or by address.
CREATE MATERIALIZED VIEW IF NOT EXISTS quotes_mv TO engagement AS
SELECT
    quoted AS target,
    'quote' AS relation,
    id AS event_id,
    '' AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayDistinct(arrayMap(
            tag -> tag[2],
            arrayFilter(
                tag -> tag[1] = 'q'
                    AND match(tag[2], '^([0-9a-f]{64}$|3423[56]:[0-9a-f]{64}:)'),
                tags
            )
        )) AS quotes
    FROM events_local
    WHERE kind IN (1, 1111)
)
ARRAY JOIN quotes AS quoted;

-- NIP-57: a receipt counts with its zap request, which ingestion has verified. The amount stands in
-- the readable part of the invoice (BOLT 11), before its last 1, in bitcoin or m, u, n, p of it. What
-- cannot be paid, or differs from what was asked for, is no zap.
CREATE MATERIALIZED VIEW IF NOT EXISTS zaps_mv TO engagement AS
SELECT
    if(address != '', address, last_id) AS target,
    'zap' AS relation,
    id AS event_id,
    invoice AS token,
    '' AS token_url,
    JSONExtractString(request, 'pubkey') AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    toUInt64(msat) AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayLast(
            tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
            tags
        )[2] AS address,
        arrayLast(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS last_id,
        lower(arrayFirst(tag -> tag[1] = 'bolt11', tags)[2]) AS invoice,
        arrayFirst(tag -> tag[1] = 'description', tags)[2] AS request,
        extract(invoice, '^(ln[a-z0-9]*)1[^1]*$') AS readable,
        match(readable, '^ln(?:bcrt|bc|tbs|tb)(?:[0-9]+[munp]?)?$') AS is_invoice,
        extractGroups(readable, '^ln(?:bcrt|bc|tbs|tb)0*([0-9]*)([munp]?)$') AS amount,
        toUInt128OrZero(amount[1]) AS digits,
        multiIf(
            amount[2] = 'm', digits * 100000000,
            amount[2] = 'u', digits * 100000,
            amount[2] = 'n', digits * 100,
            amount[2] = 'p', intDiv(digits, 10),
            digits * 100000000000
        ) AS msat,
        arrayMap(
            tag -> tag[2],
            arrayFilter(
                tag -> tag[1] = 'amount',
                JSONExtract(request, 'tags', 'Array(Array(String))')
            )
        ) AS asked
    FROM events_local
    WHERE kind = 9735 AND embedded
)
WHERE target != ''
    AND is_invoice
    AND length(amount[1]) <= 20
    AND (amount[2] != 'p' OR digits % 10 = 0)
    -- 21 million bitcoin
    AND msat <= 2100000000000000000
    AND (
        empty(asked)
        OR (
            msat > 0
            AND match(asked[1], '^[0-9]+$')
            AND toUInt64OrZero(asked[1]) = msat
        )
    );

-- NIP-56: the type is the third item of the tag that names the target; some clients give it in a tag
-- of its own.
CREATE MATERIALIZED VIEW IF NOT EXISTS reports_mv TO engagement AS
SELECT
    reported.1 AS target,
    'report' AS relation,
    id AS event_id,
    reported.2 AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        ['nudity', 'malware', 'profanity', 'illegal', 'spam', 'impersonation', 'other'] AS types,
        arrayFirst(tag -> tag[1] = 'report', tags)[2] AS own_tag,
        arrayDistinct(arrayMap(
            tag -> (tag[2], arrayFirst(type -> has(types, type), [tag[3], own_tag, 'other'])),
            arrayFilter(
                tag -> (tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'))
                    OR (tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')),
                tags
            )
        )) AS reports
    FROM events_local
    WHERE kind = 1984
)
ARRAY JOIN reports AS reported;

-- NIP-32: labels are claims of others about the target, kept by namespace.
CREATE MATERIALIZED VIEW IF NOT EXISTS labels_mv TO engagement AS
SELECT
    labelled.1 AS target,
    'label' AS relation,
    id AS event_id,
    labelled.2 AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayDistinct(arrayMap(
            tag -> concat(if(tag[3] = '', 'ugc', tag[3]), '\0', tag[2]),
            arrayFilter(tag -> tag[1] = 'l' AND tag[2] != '', tags)
        )) AS labels,
        arrayDistinct(arrayMap(
            tag -> tag[2],
            arrayFilter(
                tag -> (tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'))
                    OR (tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')),
                tags
            )
        )) AS targets
    FROM events_local
    WHERE kind = 1985
)
ARRAY JOIN arrayFlatten(arrayMap(
    named -> arrayMap(label -> (named, label), labels),
    targets
)) AS labelled;

-- The way back: which targets an event speaks about, for the event that is deleted or expires.
CREATE TABLE IF NOT EXISTS engagement_targets
(
    event_id String CODEC(ZSTD(1)),
    target String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (event_id, target)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_targets_mv TO engagement_targets AS
SELECT
    event_id,
    target,
    pubkey,
    created_at
FROM engagement;
