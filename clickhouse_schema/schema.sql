-- The schema that the migrations make. Written by `manage.py clickhouse_schema`.

CREATE TABLE arrivals
(
    `inserted_at` DateTime64(3, 'UTC'),
    `id` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `expiration` UInt32
)
ENGINE = MergeTree
ORDER BY (inserted_at, id)
TTL toDateTime(inserted_at) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW arrivals_mv TO arrivals
(
    `inserted_at` DateTime64(3, 'UTC'),
    `id` String,
    `kind` UInt16,
    `pubkey` String,
    `created_at` UInt32,
    `expiration` UInt32
)
AS SELECT
    inserted_at,
    id,
    kind,
    pubkey,
    created_at,
    expiration
FROM events_local;

CREATE VIEW comment_counts
AS SELECT
    video_key,
    id,
    comments
FROM videos(now = {now:UInt32});

CREATE TABLE current_lists
(
    `list` String CODEC(ZSTD(1)),
    `version` UInt64,
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `created_at` UInt32,
    `entries` Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY list
SETTINGS index_granularity = 64;

CREATE VIEW daily_active_users
AS SELECT
    toDate(toDateTime(created_at, 'UTC')) AS day,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE (kind NOT IN (13, 1059, 9735)) AND (created_at <= ({now:UInt32} + 900))
GROUP BY day;

CREATE TABLE deletions
(
    `target` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `event_id` String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (target, pubkey, event_id)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW deletions_mv TO deletions
(
    `target` String,
    `pubkey` String,
    `created_at` UInt32,
    `event_id` String
)
AS SELECT
    deleted AS target,
    pubkey,
    created_at,
    id AS event_id
FROM events_local
ARRAY JOIN arrayDistinct(arrayMap(tag -> (tag[2]), arrayFilter(tag -> ((((tag[1]) = 'e') AND match(tag[2], '^[0-9a-f]{64}$')) OR (((tag[1]) = 'a') AND match(tag[2], '^(0|3|1[0-9]{4}|3[0-9]{4}):[0-9a-f]{64}:') AND ((splitByChar(':', tag[2])[2]) = pubkey))), tags))) AS deleted
WHERE kind = 5;

CREATE TABLE due
(
    `at` UInt32,
    `id` String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (at, id)
SETTINGS index_granularity = 8192;

CREATE TABLE engagement
(
    `target` String CODEC(LZ4),
    `relation` LowCardinality(String),
    `event_id` String CODEC(NONE),
    `token` String,
    `token_url` String,
    `actor` String CODEC(NONE),
    `pubkey` String CODEC(NONE),
    `kind` UInt16,
    `created_at` UInt32 CODEC(LZ4),
    `expiration` UInt32,
    `unless_known` String CODEC(LZ4),
    `amount_msat` UInt64
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (cityHash64(target), relation)
ORDER BY (cityHash64(target), relation, target, event_id, token)
SETTINGS index_granularity = 128, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW engagement_mv TO engagement
(
    `target` String,
    `relation` String,
    `event_id` String,
    `token` String,
    `token_url` String,
    `actor` String,
    `pubkey` String,
    `kind` UInt16,
    `created_at` UInt32,
    `expiration` UInt32,
    `unless_known` String,
    `amount_msat` UInt64
)
AS SELECT
    act.1 AS target,
    act.2 AS relation,
    id AS event_id,
    act.3 AS token,
    picture AS token_url,
    if(kind = 9735, JSONExtractString(request, 'pubkey'), pubkey) AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    act.4 AS unless_known,
    if(kind = 9735, toUInt64(msat), 0) AS amount_msat
FROM
(
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        picture,
        request,
        intDiv(tenths, 10) AS msat,
        multiIf(kind = 7, arrayMap(pair -> (pair.1, 'reaction', multiIf((text IN ('+', '', '-')) OR (picture != ''), text, match(text, '^[0-9#*\\x{200d}\\x{e0020}-\\x{e007f}\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]{1,16}$') AND match(text, '[\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]'), text, 'other'), pair.2), [(last_id, ''), (if(((arrayFirst(tag -> ((tag[1]) = 'k'), tags)[2]) IN ('', substring(address, 1, 5))), address, ''), last_id)]), (kind IN (1, 1111)), arrayConcat([(commented, 'comment', '', ''), (if((commented = '') OR (parent IN (commented, root_id)), '', parent), 'reply', commented, '')], arrayDistinct(arrayMap(tag -> (tag[2], 'quote', '', ''), arrayFilter(tag -> (((tag[1]) = 'q') AND match(tag[2], '^([0-9a-f]{64}$|3423[56]:[0-9a-f]{64}:)')), tags)))), (kind IN (6, 16)), if(arrayExists(tag -> ((tag[1]) = '-'), JSONExtract(if(embedded, content, ''), 'tags', 'Array(Array(String))')), [], [(if(address != '', address, last_id), 'repost', '', '')]), kind = 9735, if(embedded AND is_payable AND (msat <= 2100000000000000000) AND (empty(asked) OR ((msat > 0) AND match(asked[2], '^[0-9]+$') AND (toUInt64OrZero(asked[2]) = msat))), [(if(address != '', address, last_id), 'zap', invoice, '')], []), kind = 1984, arrayDistinct(arrayMap(tag -> (tag[2], 'report', arrayFirst(type -> (type IN ('nudity', 'malware', 'profanity', 'illegal', 'spam', 'impersonation', 'other')), [tag[3], arrayFirst(tag -> ((tag[1]) = 'report'), tags)[2], 'other']), ''), arrayConcat(references, addresses))), arrayDistinct(arrayFlatten(arrayMap(target -> arrayMap(tag -> (target[2], 'label', concat(if((tag[3]) = '', 'ugc', tag[3]), '\0', tag[2]), ''), arrayFilter(tag -> (((tag[1]) = 'l') AND ((tag[2]) != '')), tags)), arrayConcat(references, addresses))))) AS acts
    FROM
    (
        SELECT
            id,
            pubkey,
            kind,
            created_at,
            expiration,
            content,
            embedded,
            tags,
            references,
            addresses,
            root_id,
            text,
            invoice,
            request,
            (references[-1])[2] AS last_id,
            (addresses[-1])[2] AS address,
            if(match(text, '^:[A-Za-z0-9_-]+:$'), arrayFirst(tag -> (((tag[1]) = 'emoji') AND (concat(':', tag[2], ':') = text) AND ((tag[3]) != '')), tags)[3], '') AS picture,
            if(kind = 1, arrayFirst(id -> (id != ''), [arrayFirst(tag -> ((tag[4]) = 'root'), references)[2], marked_reply, arrayFirst(tag -> ((tag[4]) NOT IN ('root', 'reply', 'mention')), references)[2]]), if(root_address != '', root_address, root_id)) AS commented,
            multiIf(kind = 1111, (references[1])[2], marked_reply != '', marked_reply, arrayLast(tag -> ((tag[4]) != 'mention'), references)[2]) AS parent,
            extractGroups(invoice, '^ln(?:bcrt|bc|tbs|tb)(?:([0-9]+)([munp]?))?1[^1]*$') AS amount,
            replaceRegexpOne(amount[1], '^0+', '') AS digits,
            toUInt128OrZero(digits) * transform(amount[2], ['p', 'n', 'u', 'm'], [1, 1000, 1000000, 1000000000], 1000000000000) AS tenths,
            notEmpty(amount) AND (length(digits) <= 20) AND ((tenths % 10) = 0) AS is_payable,
            arrayFirst(tag -> ((tag[1]) = 'amount'), JSONExtract(request, 'tags', 'Array(Array(String))')) AS asked
        FROM
        (
            SELECT
                id,
                pubkey,
                kind,
                created_at,
                expiration,
                content,
                embedded,
                tags,
                arrayFilter(tag -> (((tag[1]) = 'e') AND match(tag[2], '^[0-9a-f]{64}$')), tags) AS references,
                arrayFilter(tag -> (((tag[1]) = 'a') AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')), tags) AS addresses,
                arrayFirst(tag -> ((tag[4]) = 'reply'), references)[2] AS marked_reply,
                arrayFirst(tag -> (((tag[1]) = 'A') AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')), tags)[2] AS root_address,
                arrayFirst(tag -> (((tag[1]) = 'E') AND match(tag[2], '^[0-9a-f]{64}$')), tags)[2] AS root_id,
                if(kind = 7, replaceAll(content, '️', ''), '') AS text,
                lower(arrayFirst(tag -> ((tag[1]) = 'bolt11'), tags)[2]) AS invoice,
                if((kind = 9735) AND embedded, arrayFirst(tag -> ((tag[1]) = 'description'), tags)[2], '') AS request
            FROM events_local
            WHERE kind IN (1, 6, 7, 16, 1111, 1984, 1985, 9735)
        )
    )
)
ARRAY JOIN arrayFilter(act -> ((act.1) != ''), acts) AS act;

CREATE TABLE engagement_targets
(
    `event_id` String CODEC(NONE),
    `target` String CODEC(ZSTD(1)),
    `created_at` UInt32 STATISTICS(minmax)
)
ENGINE = ReplacingMergeTree
ORDER BY (event_id, target)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW engagement_targets_mv TO engagement_targets
(
    `event_id` String,
    `target` String,
    `created_at` UInt32
)
AS SELECT
    event_id,
    target,
    created_at
FROM engagement;

CREATE TABLE erasures
(
    `pubkey` String,
    `until` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, until)
SETTINGS index_granularity = 8192;

CREATE VIEW event_tags_flat
(
    `event_id` String,
    `pubkey` String,
    `created_at` UInt32,
    `kind` UInt16,
    `tag_name` String,
    `tag_value` String,
    `tag` Array(String)
)
AS SELECT
    id AS event_id,
    pubkey,
    created_at,
    kind,
    tag[1] AS tag_name,
    tag[2] AS tag_value,
    tag
FROM events_local
FINAL
ARRAY JOIN tags AS tag;

CREATE TABLE events_by_author
(
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)),
    `id` String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, kind, created_at, id)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW events_by_author_mv TO events_by_author
(
    `pubkey` String,
    `kind` UInt16,
    `created_at` UInt32,
    `id` String
)
AS SELECT
    pubkey,
    kind,
    created_at,
    id
FROM events_local;

CREATE TABLE events_by_kind
(
    `kind` UInt16,
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)),
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, created_at, id)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW events_by_kind_mv TO events_by_kind
(
    `kind` UInt16,
    `created_at` UInt32,
    `id` String,
    `pubkey` String
)
AS SELECT
    kind,
    created_at,
    id,
    pubkey
FROM events_local;

CREATE TABLE events_local
(
    `id` String CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 8192),
    `pubkey` String CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 8192),
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)) SETTINGS (min_compress_block_size = 8192),
    `kind` UInt16 SETTINGS (min_compress_block_size = 8192),
    `tags` Array(Array(String)) CODEC(ZSTD(3)),
    `content` String CODEC(ZSTD(3)),
    `sig` String CODEC(ZSTD(1)),
    `embedded` UInt8,
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3),
    `expiration` UInt32 MATERIALIZED if((kind NOT IN (5, 62)) AND match(arrayFirst(tag -> ((tag[1]) = 'expiration'), tags)[2], '^[0-9]+$'), toUInt32(least(ifNull(toUInt64OrNull(arrayFirst(tag -> ((tag[1]) = 'expiration'), tags)[2]), 4294967295), 4294967295)), 4294967295) SETTINGS (min_compress_block_size = 8192),
    INDEX inserted_at_index inserted_at TYPE minmax GRANULARITY 1000000
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE TABLE first_seen
(
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` SimpleAggregateFunction(min, UInt32),
    `version` SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY pubkey
SETTINGS index_granularity = 256, min_compress_block_size = 8192;

CREATE TABLE list_entries
(
    `entry` String CODEC(ZSTD(1)),
    `list` String CODEC(ZSTD(1)),
    `version` UInt64,
    `gone` UInt8,
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY (entry, list)
SETTINGS index_granularity = 256, min_compress_block_size = 8192;

CREATE TABLE list_versions
(
    `list` String CODEC(ZSTD(1)),
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `created_at` UInt32,
    `expiration` UInt32,
    `entries` Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (list, id)
SETTINGS index_granularity = 64, non_replicated_deduplication_window = 1000, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW list_versions_mv TO list_versions
(
    `list` String,
    `id` String,
    `pubkey` String,
    `kind` UInt16,
    `created_at` UInt32,
    `expiration` UInt32,
    `entries` Array(String)
)
AS SELECT
    concat(toString(kind), ':', pubkey, ':', if((kind IN (30003, 30005)), arrayFirst(tag -> ((tag[1]) = 'd'), tags)[2], '')) AS list,
    id,
    pubkey,
    kind,
    created_at,
    expiration,
    arrayDistinct(arrayMap(tag -> (tag[2]), arrayFilter(tag -> if(kind = 3, ((tag[1]) = 'p') AND match(tag[2], '^[0-9a-f]{64}$'), (((tag[1]) = 'e') AND match(tag[2], '^[0-9a-f]{64}$')) OR (((tag[1]) = 'a') AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'))), tags))) AS entries
FROM events_local
WHERE kind IN (3, 10003, 30003, 30005);

CREATE TABLE listed_videos
(
    `list` String CODEC(ZSTD(1)),
    `tier` Int64 CODEC(ZSTD(1)),
    `video_key` String CODEC(ZSTD(1)),
    `version` UInt64 CODEC(ZSTD(1)),
    `gone` UInt8 CODEC(ZSTD(1)),
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16 CODEC(ZSTD(1)),
    `platform` LowCardinality(String),
    `sensitive` Bool CODEC(ZSTD(1)),
    `presentable` Bool CODEC(ZSTD(1)),
    `created_at` UInt32 CODEC(ZSTD(1)),
    `published_at` UInt32 CODEC(ZSTD(1)),
    `expiration` UInt32 CODEC(ZSTD(1)),
    `engagement_score` Int64 CODEC(ZSTD(1)),
    `plain_score` UInt64 CODEC(ZSTD(1)),
    `trusted_score` Float64 CODEC(ZSTD(1)),
    `likes` UInt64 CODEC(ZSTD(1)),
    `comments` UInt64 CODEC(ZSTD(1)),
    `views` UInt64 CODEC(ZSTD(1)),
    `loops` Float64 CODEC(ZSTD(1)),
    `listed_loops` Float64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY (list, tier, video_key)
SETTINGS index_granularity = 128;

CREATE VIEW monthly_active_users
AS SELECT
    toStartOfMonth(toDateTime(created_at, 'UTC')) AS month,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE (kind NOT IN (13, 1059, 9735)) AND (created_at <= ({now:UInt32} + 900))
GROUP BY month;

CREATE TABLE playback_targets
(
    `event_id` String CODEC(ZSTD(1)),
    `target` String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY event_id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW playback_targets_mv TO playback_targets
(
    `event_id` String,
    `target` String
)
AS SELECT
    event_id,
    target
FROM playbacks;

CREATE TABLE playbacks
(
    `target` String CODEC(ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)),
    `session` String CODEC(ZSTD(1)),
    `milliloops` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (target, event_id)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE TABLE playbacks_by_time
(
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)),
    `target` String CODEC(ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `session` String CODEC(ZSTD(1)),
    `milliloops` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (created_at, target, event_id)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW playbacks_by_time_mv TO playbacks_by_time
(
    `created_at` UInt32,
    `target` String,
    `event_id` String,
    `pubkey` String,
    `session` String,
    `milliloops` UInt32
)
AS SELECT
    created_at,
    target,
    event_id,
    pubkey,
    session,
    milliloops
FROM playbacks
WHERE (session != '') OR (milliloops > 0);

CREATE MATERIALIZED VIEW playbacks_mv TO playbacks
(
    `target` String,
    `event_id` String,
    `pubkey` String,
    `created_at` UInt32,
    `session` String,
    `milliloops` UInt32
)
AS SELECT
    if(address != '', address, last_id) AS target,
    id AS event_id,
    pubkey,
    created_at,
    multiIf((phase NOT IN ('whole', 'start')), '', session != '', session, id) AS session,
    if((phase IN ('whole', 'end')), if(length(loops[1]) > 4, 1000000, toUInt32(least(toUInt64OrZero(thousandths), 1000000))), 0) AS milliloops
FROM
(
    SELECT
        id,
        pubkey,
        created_at,
        arrayLast(tag -> (((tag[1]) = 'a') AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')), tags)[2] AS address,
        arrayLast(tag -> (((tag[1]) = 'e') AND match(tag[2], '^[0-9a-f]{64}$')), tags)[2] AS last_id,
        arrayFirst(tag -> ((tag[1]) = 'phase'), tags) AS phase_tag,
        if(empty(phase_tag), 'whole', phase_tag[2]) AS phase,
        arrayFirst(tag -> ((tag[1]) = 'session'), tags)[2] AS session,
        arrayFirst(tag -> ((tag[1]) = 'loops'), tags)[2] AS loops_text,
        extractGroups(if(match(loops_text, '^[0-9]'), loops_text, ''), '^0*([0-9]*)(?:[.]([0-9]{1,3})[0-9]*)?$') AS loops,
        concat(loops[1], rightPad(loops[2], 3, '0')) AS thousandths
    FROM view_events_local
)
WHERE (target != '') AND (phase IN ('whole', 'start', 'end'));

CREATE VIEW played_days
AS WITH
    aliases AS
    (
        SELECT DISTINCT
            id,
            video_key
        FROM video_aliases
        WHERE (id IN (
            SELECT target
            FROM playbacks_by_time
            WHERE (created_at >= {since:UInt32}) AND (created_at <= ({now:UInt32} + 900)) AND (length(target) = 64)
        )) AND (created_at <= ({now:UInt32} + 900))
    )
SELECT
    video_key,
    viewer,
    play.1 AS day,
    least(sum(play.2), 100) AS day_views,
    least(sum(play.3), 10000000) AS day_milliloops
FROM
(
    SELECT
        if(aliases.video_key != '', aliases.video_key, recent.target) AS video_key,
        recent.pubkey AS viewer,
        arraySort(groupArray((intDiv(recent.created_at, 86400), recent.milliloops))) AS played,
        arrayMap((of_day, place) -> (of_day.1, toUInt64((place = 1) AND (session != '')), of_day.2), played, arrayEnumerate(played)) AS plays
    FROM playbacks_by_time AS recent
    FINAL
    LEFT JOIN aliases ON recent.target = aliases.id
    WHERE (recent.created_at >= {since:UInt32}) AND (recent.created_at <= ({now:UInt32} + 900)) AND ((aliases.video_key != '') OR (length(recent.target) != 64))
    GROUP BY
        video_key,
        viewer,
        session
)
ARRAY JOIN plays AS play
GROUP BY
    video_key,
    viewer,
    day
HAVING (day_views > 0) OR (day_milliloops > 0);

CREATE VIEW popular_video_hashtags
AS SELECT
    hashtag,
    uniqExact(video_key) AS video_count,
    uniqExact(pubkey) AS unique_creators,
    max(published_at) AS last_used
FROM video_hashtags(now = {now:UInt32})
GROUP BY hashtag;

CREATE TABLE profile_versions
(
    `pubkey` String CODEC(ZSTD(1)),
    `id` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `expiration` UInt32,
    `name` String,
    `display_name` String,
    `picture` String,
    `banner` String,
    `about` String CODEC(ZSTD(3)),
    `nip05` String,
    `lud16` String,
    `website` String
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, id)
SETTINGS index_granularity = 128, non_replicated_deduplication_window = 1000, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW profile_versions_mv TO profile_versions
(
    `pubkey` String,
    `id` String,
    `created_at` UInt32,
    `expiration` UInt32,
    `name` String,
    `display_name` String,
    `picture` String,
    `banner` String,
    `about` String,
    `nip05` String,
    `lud16` String,
    `website` String
)
AS WITH
    ((json, name) -> if(JSONType(json, name) = 'String', JSONExtractString(json, name), '')) AS text_of
SELECT
    pubkey,
    id,
    created_at,
    expiration,
    text_of(content, 'name') AS name,
    arrayFirst(text -> (text != ''), [text_of(content, 'display_name'), text_of(content, 'displayName')]) AS display_name,
    text_of(content, 'picture') AS picture,
    text_of(content, 'banner') AS banner,
    text_of(content, 'about') AS about,
    text_of(content, 'nip05') AS nip05,
    text_of(content, 'lud16') AS lud16,
    text_of(content, 'website') AS website
FROM events_local
WHERE kind = 0;

CREATE TABLE projection_state
(
    `name` LowCardinality(String),
    `version` UInt64,
    `settled_until` DateTime64(3, 'UTC'),
    `due_until` UInt32
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name
SETTINGS index_granularity = 8192;

CREATE TABLE reached
(
    `pass` UInt64,
    `pubkey` String,
    `hops` UInt8
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, pubkey, hops)
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(6)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 8192;

CREATE VIEW reaction_counts
AS SELECT
    video_key,
    id,
    reactions,
    likes,
    dislikes,
    emojis
FROM videos(now = {now:UInt32});

CREATE VIEW repost_counts
AS SELECT
    video_key,
    id,
    reposts,
    quotes
FROM videos(now = {now:UInt32});

CREATE TABLE schema_migrations
(
    `name` String,
    `state` LowCardinality(String),
    `checksum` String,
    `statements_done` UInt16,
    `version` UInt32,
    `recorded_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name
SETTINGS index_granularity = 8192;

CREATE VIEW top_video_creators
AS SELECT
    pubkey,
    count() AS video_count,
    sum(engagement_score) AS engagement_score,
    sum(reactions) AS reactions,
    sum(comments) AS comments,
    sum(reposts) AS reposts
FROM videos(now = {now:UInt32})
GROUP BY pubkey;

CREATE TABLE touched
(
    `pass` UInt64,
    `what` LowCardinality(String),
    `key` String
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, what, key)
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(6)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 8192;

CREATE TABLE touched_acts
(
    `pass` UInt64,
    `video_key` String,
    `relation` LowCardinality(String),
    `event_id` String,
    `token` String,
    `token_url` String,
    `actor` String,
    `pubkey` String,
    `created_at` UInt32,
    `unless_known` String,
    `amount_msat` UInt64
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(1)
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10, index_granularity = 8192;

CREATE TABLE touched_events
(
    `pass` UInt64,
    `id` String,
    `pubkey` String,
    `kind` UInt16,
    `created_at` UInt32,
    `expiration` UInt32
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(1)
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10, index_granularity = 8192;

CREATE TABLE touched_lists
(
    `pass` UInt64,
    `list` String,
    `pubkey` String,
    `kind` UInt16,
    `created_at` UInt32,
    `entries` Array(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, list)
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(6)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 8192;

CREATE TABLE touched_targets
(
    `pass` UInt64,
    `target` String,
    `video_key` String,
    `pubkey` String,
    `created_at` UInt32,
    `details` String
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + toIntervalHour(1)
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10, index_granularity = 8192;

CREATE VIEW trending_videos
AS SELECT
    video_key,
    id,
    pubkey,
    kind,
    title,
    published_at,
    engagement_score,
    plain_score,
    trusted_score,
    trending_score
FROM videos(now = {now:UInt32})
WHERE toInt64(published_at) >= (toInt64({now:UInt32}) - (30 * 86400));

CREATE TABLE trust_weights
(
    `pubkey` String CODEC(ZSTD(1)),
    `version` UInt64,
    `gone` UInt8,
    `hops` UInt8,
    `weight` Float64
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY pubkey
SETTINGS index_granularity = 256;

CREATE TABLE user_profiles
(
    `pubkey` String CODEC(ZSTD(1)),
    `version` UInt64,
    `live` Bool,
    `id` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `expiration` UInt32,
    `name` String,
    `display_name` String,
    `picture` String,
    `banner` String,
    `about` String CODEC(ZSTD(3)),
    `nip05` String,
    `lud16` String,
    `website` String,
    `searched` String MATERIALIZED arrayMap(folded -> concat('\0\0\0', folded, '\0\0', arrayStringConcat(arrayDistinct(ngrams(folded, 1)), '\0\0'), '\0', arrayStringConcat(arrayDistinct(ngrams(folded, 2)), '\0')), [caseFoldUTF8(normalizeUTF8NFC(arrayStringConcat([name, display_name, nip05, about], '\n')))])[1] CODEC(ZSTD(3)),
    INDEX searched_index searched TYPE text(tokenizer = ngrams(3)) GRANULARITY 100000000
)
ENGINE = ReplacingMergeTree(version)
ORDER BY pubkey
SETTINGS index_granularity = 128;

CREATE TABLE vanish_barriers
(
    `pubkey` String,
    `until` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, until)
SETTINGS index_granularity = 8192;

CREATE TABLE vanish_requests
(
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `relays` Array(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, id)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW vanish_requests_mv TO vanish_requests
(
    `id` String,
    `pubkey` String,
    `created_at` UInt32,
    `relays` Array(String)
)
AS SELECT
    id,
    pubkey,
    created_at,
    arrayDistinct(arrayMap(parts -> if(((parts[2]) = 'ALL_RELAYS') AND ((parts[1]) = '') AND ((parts[3]) = ''), 'ALL_RELAYS', concat(replaceRegexpOne(lower(parts[2]), if((lower(parts[1]) IN ('ws://', 'http://')), ':80$', ':443$'), ''), replaceRegexpOne(parts[3], '/+$', ''))), arrayMap(tag -> extractGroups(tag[2], '^((?i:wss?|https?)://|)([^/?#]*)([^?#]*)'), arrayFilter(tag -> ((tag[1]) = 'relay'), tags)))) AS relays
FROM
(
    SELECT
        id,
        pubkey,
        created_at,
        tags
    FROM events_local
    WHERE kind = 62
);

CREATE TABLE video_aliases
(
    `id` String CODEC(ZSTD(1)),
    `video_key` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW video_aliases_mv TO video_aliases
(
    `id` String,
    `video_key` String,
    `pubkey` String,
    `created_at` UInt32
)
AS SELECT
    id,
    video_key,
    pubkey,
    created_at
FROM video_versions;

CREATE VIEW video_hashtags
AS SELECT
    hashtag,
    video_key,
    id,
    pubkey,
    published_at
FROM videos(now = {now:UInt32})
ARRAY JOIN hashtags AS hashtag;

CREATE TABLE video_places
(
    `video_key` String CODEC(ZSTD(1)),
    `list` String CODEC(ZSTD(1)),
    `tier` Int64 CODEC(ZSTD(1)),
    `version` UInt64 CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (video_key, list, tier)
SETTINGS index_granularity = 256, min_compress_block_size = 8192;

CREATE MATERIALIZED VIEW video_places_mv TO video_places
(
    `video_key` String,
    `list` String,
    `tier` Int64,
    `version` UInt64,
    `pubkey` String,
    `created_at` UInt32
)
AS WITH
    (score -> (if(score < 0, 1, -1) * toInt64(roundToExp2(toUInt64(abs(score)))))) AS tier_of,
    (score -> if(score > 0, -toInt64(floor(halvings + log2(score))), 10000000000 + by_time)) AS trend_of
SELECT
    video_key,
    place.1 AS list,
    place.2 AS tier,
    version,
    pubkey,
    created_at
FROM
(
    SELECT
        video_key,
        version,
        pubkey,
        created_at,
        -toInt64(published_at) AS by_time,
        if((platform = 'vine') AND (embedded_loops > 0), assumeNotNull(embedded_loops), loops) AS listed_loops,
        arrayConcat([('recent', by_time), (concat('by:', pubkey), by_time), ('popular', tier_of(engagement_score)), ('likes', tier_of(toInt64(likes))), ('comments', tier_of(toInt64(comments))), ('loops', tier_of(toInt64(floor(listed_loops)))), ('trending', trend_of(trusted_score)), ('trending plain', trend_of(toFloat64(plain_score)))], if((video_url != '') AND ((views > 0) OR (loops > 0)), [('views', tier_of(toInt64(views)))], []), if(d_tag != '', [(concat('d:', d_tag), by_time)], []), arrayMap(hashtag -> (concat('#', hashtag), by_time), hashtags), arrayMap(collaborator -> (concat('with:', collaborator), by_time), arrayDistinct(arrayMap(tag -> (tag[2]), arrayFilter(tag -> (((tag[1]) = 'p') AND (lower(tag[4]) = 'collaborator')), tags))))) AS places,
        published_at / ((168 * 3600) * log(2)) AS halvings
    FROM video_stats
    WHERE live
)
ARRAY JOIN places AS place;

CREATE TABLE video_stats
(
    `video_key` String CODEC(ZSTD(1)),
    `version` UInt64 STATISTICS(minmax),
    `live` Bool,
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `d_tag` String,
    `created_at` UInt32,
    `published_at` UInt32,
    `expiration` UInt32,
    `title` String,
    `content` String CODEC(ZSTD(3)),
    `video_url` String,
    `fallback_urls` Array(String),
    `thumbnail` String,
    `dimensions` String,
    `blurhash` String,
    `sha256` String,
    `duration` Float64,
    `alt` String,
    `language` String,
    `hashtags` Array(String),
    `sensitive` Bool,
    `content_warning` String,
    `platform` LowCardinality(String),
    `embedded_loops` Nullable(UInt64),
    `embedded_likes` UInt64,
    `embedded_comments` UInt64,
    `embedded_reposts` UInt64,
    `tags` Array(Array(String)) CODEC(ZSTD(3)),
    `reactions` UInt64,
    `likes` UInt64,
    `dislikes` UInt64,
    `emojis` Array(Tuple(
        emoji String,
        people UInt64)),
    `emoji_images` Array(Tuple(
        emoji String,
        url String,
        people UInt64)),
    `comments` UInt64,
    `reposts` UInt64,
    `quotes` UInt64,
    `bookmarks` UInt64,
    `zaps` UInt64,
    `zap_msat` UInt64,
    `zaps_unverified` UInt64,
    `zap_msat_unverified` UInt64,
    `views` UInt64,
    `unique_viewers` UInt64,
    `loops` Float64,
    `reports` Array(Tuple(
        type String,
        people UInt64)),
    `labels` Array(Tuple(
        namespace String,
        label String,
        people UInt64)),
    `plain_score` UInt64 DEFAULT 0,
    `trusted_score` Float64 DEFAULT 0,
    `engagement_score` Int64 MATERIALIZED ((toInt64(reactions) - toInt64(dislikes)) + (2 * toInt64(comments))) + (3 * toInt64(reposts)),
    `shown` String MATERIALIZED toJSONString(CAST((kind, d_tag, created_at, published_at, title, content, thumbnail, video_url, fallback_urls, dimensions, blurhash, sha256, duration, hashtags, sensitive, content_warning, reactions, likes, dislikes, emojis, comments, reposts, quotes, bookmarks, zaps, zap_msat, zaps_unverified, zap_msat_unverified, views, unique_viewers, loops, embedded_loops, embedded_likes, embedded_comments, embedded_reposts, engagement_score, platform, tags), 'Tuple(\n            kind UInt16, d_tag String, created_at UInt32, published_at UInt32, title String,\n            content String, thumbnail String, video_url String, fallback_urls Array(String),\n            dimensions String, blurhash String, sha256 String, duration Float64,\n            hashtags Array(String), sensitive Bool, content_warning String, reactions UInt64,\n            likes UInt64, dislikes UInt64, emojis Array(Tuple(emoji String, people UInt64)),\n            comments UInt64, reposts UInt64, quotes UInt64, bookmarks UInt64, zaps UInt64,\n            zap_msat UInt64, zaps_unverified UInt64, zap_msat_unverified UInt64, views UInt64,\n            unique_viewers UInt64, loops Float64, embedded_loops Nullable(UInt64),\n            embedded_likes UInt64, embedded_comments UInt64, embedded_reposts UInt64,\n            engagement_score Int64, platform String, tags Array(Array(String))\n        )')) CODEC(ZSTD(1)),
    INDEX pubkey_index pubkey TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY video_key
SETTINGS index_granularity = 64, min_compress_block_size = 8192;

CREATE TABLE video_texts
(
    `video_key` String CODEC(ZSTD(1)),
    `version` UInt64,
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32,
    `written` String EPHEMERAL,
    `fingerprint` UInt64 DEFAULT sipHash64(created_at, written),
    `texts` String DEFAULT replaceAll(replaceRegexpAll(replaceRegexpAll(normalizeUTF8NFKC(replaceRegexpAll(normalizeUTF8NFD(caseFoldUTF8(normalizeUTF8NFKC(replaceRegexpAll(written, '[\\x{2018}\\x{2019}\\x{2bc}\\x{b4}`]', '\'')))), '[\\x{300}-\\x{36f}\\x{fe00}-\\x{fe0f}\\p{Cf}]', '')), '((?:[^\\P{L}\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\P{N}\\p{Han}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\P{M}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}])+)', 'BB\\1E'), '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\s\\p{Z}\\p{L}\\p{N}\\p{M}])', 'S\\1S'), 'SS', 'S') CODEC(ZSTD(1)),
    INDEX texts_index texts TYPE text(tokenizer = ngrams(3)) GRANULARITY 100000000
)
ENGINE = ReplacingMergeTree(version)
ORDER BY video_key
SETTINGS index_granularity = 256;

CREATE TABLE video_versions
(
    `video_key` String CODEC(LZ4),
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `kind` UInt16,
    `d_tag` String,
    `created_at` UInt32,
    `expiration` UInt32,
    `published_tag` UInt32,
    `title` String,
    `content` String CODEC(ZSTD(3)),
    `video_url` String,
    `fallback_urls` Array(String),
    `thumbnail` String,
    `dimensions` String,
    `blurhash` String,
    `sha256` String,
    `duration` Float64,
    `alt` String,
    `language` String,
    `hashtags` Array(String),
    `sensitive` Bool,
    `content_warning` String,
    `platform` LowCardinality(String),
    `embedded_loops` Nullable(UInt64),
    `embedded_likes` UInt64,
    `embedded_comments` UInt64,
    `embedded_reposts` UInt64,
    `tags` Array(Array(String)) CODEC(ZSTD(3)),
    `details` String MATERIALIZED toJSONString(CAST((kind, d_tag, expiration, published_tag, title, content, video_url, fallback_urls, thumbnail, dimensions, blurhash, sha256, duration, alt, language, hashtags, sensitive, content_warning, platform, embedded_loops, embedded_likes, embedded_comments, embedded_reposts, tags), 'Tuple(\n            kind UInt16, d_tag String, expiration UInt32, published_tag UInt32, title String,\n            content String, video_url String, fallback_urls Array(String), thumbnail String,\n            dimensions String, blurhash String, sha256 String, duration Float64, alt String,\n            language String, hashtags Array(String), sensitive Bool, content_warning String,\n            platform String, embedded_loops Nullable(UInt64), embedded_likes UInt64,\n            embedded_comments UInt64, embedded_reposts UInt64, tags Array(Array(String))\n        )')) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (video_key, id)
SETTINGS index_granularity = 64, non_replicated_deduplication_window = 1000, min_compress_block_size = 8192, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE MATERIALIZED VIEW video_versions_mv TO video_versions
(
    `video_key` String,
    `id` String,
    `pubkey` String,
    `kind` UInt16,
    `d_tag` String,
    `created_at` UInt32,
    `expiration` UInt32,
    `published_tag` UInt32,
    `title` String,
    `content` String,
    `video_url` String,
    `fallback_urls` Array(String),
    `thumbnail` String,
    `dimensions` String,
    `blurhash` String,
    `sha256` String,
    `duration` Float64,
    `alt` String,
    `language` String,
    `hashtags` Array(String),
    `sensitive` UInt8,
    `content_warning` String,
    `platform` String,
    `embedded_loops` Nullable(UInt64),
    `embedded_likes` UInt64,
    `embedded_comments` UInt64,
    `embedded_reposts` UInt64,
    `tags` Array(Array(String))
)
AS SELECT
    if((kind IN (34235, 34236)), concat(toString(kind), ':', pubkey, ':', named['d']), id) AS video_key,
    id,
    pubkey,
    kind,
    if((kind IN (34235, 34236)), named['d'], '') AS d_tag,
    created_at,
    expiration,
    if(match(named['published_at'], '^[0-9]+$'), toUInt32(least(ifNull(toUInt64OrNull(named['published_at']), 4294967295), 4294967295)), 0) AS published_tag,
    named['title'] AS title,
    firstNonDefault(content, named['summary']) AS content,
    if(match(url, '^https?://'), url, '') AS video_url,
    arrayDistinct(arrayFilter((fallback, name) -> ((name = 'fallback') AND match(fallback, '^https?://')), mapValues(main), mapKeys(main))) AS fallback_urls,
    arrayFirst(picture -> match(picture, '^https?://'), arrayConcat([main['image']], arrayMap(medium -> (medium['image']), media), arrayFlatten(arrayMap(wanted -> arrayFilter((value, name) -> (name = wanted), `values`, names), ['thumb', 'image', 'thumbnail'])))) AS thumbnail,
    arrayFirst(text -> match(text, '^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$'), [main['dim'], named['dim']]) AS dimensions,
    firstNonDefault(main['blurhash'], named['blurhash']) AS blurhash,
    arrayFirst(hash -> match(hash, '^[0-9a-f]{64}$'), [lower(main['x']), lower(named['x'])]) AS sha256,
    arrayFirst(seconds -> ((seconds > 0) AND (seconds <= 86400)), arrayMap(text -> toFloat64OrZero(if(match(text, '^[0-9]+([.][0-9]+)?$'), text, '0')), [main['duration'], named['duration']])) AS duration,
    firstNonDefault(named['alt'], main['alt']) AS alt,
    language,
    arrayDistinct(arrayFilter(hashtag -> (hashtag != ''), arrayMap(value -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(extract(value, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')))), arrayFilter((value, name) -> (name = 't'), `values`, names)))) AS hashtags,
    has(names, 'content-warning') OR notEmpty(warning_label) AS sensitive,
    firstNonDefault(named['content-warning'], warning_label[2]) AS content_warning,
    lower(firstNonDefault(named['platform'], named['origin'])) AS platform,
    toUInt64OrNull(extract(named['loops'], '^0*([0-9]{1,15})$')) AS embedded_loops,
    toUInt64OrZero(extract(named['likes'], '^0*([0-9]{1,15})$')) AS embedded_likes,
    toUInt64OrZero(extract(named['comments'], '^0*([0-9]{1,15})$')) AS embedded_comments,
    toUInt64OrZero(extract(named['reposts'], '^0*([0-9]{1,15})$')) AS embedded_reposts,
    tags
FROM
(
    SELECT
        *,
        mapFromArrays(names, `values`) AS named,
        arrayFirst(medium -> match(lower(medium['m']), '^($|video/|application/x-mpegurl$)'), media) AS main,
        if(notEmpty(main), main['url'], named['url']) AS url
    FROM
    (
        SELECT
            id,
            pubkey,
            kind,
            created_at,
            expiration,
            content,
            tags,
            arrayMap(tag -> (tag[1]), tags) AS names,
            arrayMap(tag -> (tag[2]), tags) AS `values`,
            arrayFirst(tag -> (((tag[1]) = 'l') AND ((tag[3]) = 'ISO-639-1')), tags)[2] AS language,
            arrayFirst(tag -> (((tag[1]) = 'l') AND ((tag[3]) = 'content-warning')), tags) AS warning_label,
            arrayFilter(medium -> match(medium['url'], '^https?://'), arrayMap(tag -> CAST(if(position(tag[2], ' ') > 0, arrayMap(item -> (splitByChar(' ', item)[1], trimBoth(substring(item, position(item, ' ') + 1))), arrayFilter(item -> (position(item, ' ') > 0), arraySlice(tag, 2))), arrayMap(place -> (tag[2 * place], trimBoth(tag[(2 * place) + 1])), range(1, intDiv(length(tag) - 1, 2) + 1))), 'Map(String, String)'), arrayFilter(tag -> ((tag[1]) = 'imeta'), tags))) AS media
        FROM events_local
        WHERE kind IN (21, 22, 34235, 34236)
    )
);

CREATE VIEW videos
AS SELECT
    video_key,
    id,
    pubkey,
    created_at,
    published_at,
    kind,
    d_tag,
    if((kind IN (34235, 34236)), video_key, '') AS address,
    title,
    content,
    thumbnail,
    video_url,
    fallback_urls,
    dimensions,
    blurhash,
    sha256,
    duration,
    alt,
    language,
    hashtags,
    sensitive,
    content_warning,
    platform,
    embedded_loops,
    embedded_likes,
    embedded_comments,
    embedded_reposts,
    tags,
    reactions,
    likes,
    dislikes,
    emojis,
    emoji_images,
    comments,
    reposts,
    quotes,
    bookmarks,
    zaps,
    zap_msat,
    zaps_unverified,
    zap_msat_unverified,
    views,
    unique_viewers,
    loops,
    reports,
    labels,
    engagement_score,
    plain_score,
    trusted_score,
    trusted_score * exp(((-greatest(0, toInt64({now:UInt32}) - toInt64(published_at))) / 3600) / 168) AS trending_score
FROM video_stats
FINAL
WHERE live AND (expiration > {now:UInt32}) AND (created_at <= ({now:UInt32} + 900));

CREATE MATERIALIZED VIEW view_arrivals_mv TO arrivals
(
    `inserted_at` DateTime64(3, 'UTC'),
    `id` String,
    `kind` UInt16,
    `pubkey` String,
    `created_at` UInt32,
    `expiration` UInt32
)
AS SELECT
    inserted_at,
    id,
    22236 AS kind,
    pubkey,
    created_at,
    4294967295 AS expiration
FROM view_events_local;

CREATE TABLE view_events_local
(
    `id` String CODEC(ZSTD(1)),
    `pubkey` String CODEC(ZSTD(1)),
    `created_at` UInt32 CODEC(Delta(4), ZSTD(1)),
    `tags` Array(Array(String)) CODEC(ZSTD(3)),
    `content` String CODEC(ZSTD(3)),
    `sig` String CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX inserted_at_index inserted_at TYPE minmax GRANULARITY 1000000
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000, string_serialization_version = 'single_stream', auto_statistics_types = '';

CREATE VIEW weekly_active_users
AS SELECT
    toMonday(toDateTime(created_at, 'UTC')) AS week,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE (kind NOT IN (13, 1059, 9735)) AND (created_at <= ({now:UInt32} + 900))
GROUP BY week;
