-- Every version of every video (NIP-71), extracted from its event.

-- A video is its address (kind:pubkey:d) for kinds 34235 and 34236 and its id for 21 and 22. Which
-- version is current, and whether it is shown, is decided when the read model is computed.
CREATE TABLE IF NOT EXISTS video_versions
(
    video_key String CODEC(ZSTD(1)),
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    d_tag String,
    created_at UInt32,
    expiration UInt32,
    -- the published_at tag when it is a positive number, else 0
    published_tag UInt32,
    title String,
    content String CODEC(ZSTD(3)),
    video_url String,
    fallback_urls Array(String),
    thumbnail String,
    dimensions String,
    blurhash String,
    sha256 String,
    -- seconds, 0 when unknown
    duration Float64,
    alt String,
    language String,
    -- NFC, case-folded, without one leading #, distinct, in the order of the tags
    hashtags Array(String),
    sensitive Bool,
    content_warning String,
    platform LowCardinality(String),
    -- what the author of an imported video claims, never added to measured counts
    embedded_loops Nullable(UInt64),
    embedded_likes UInt64,
    embedded_comments UInt64,
    embedded_reposts UInt64,
    tags Array(Array(String)) CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (video_key, id)
SETTINGS index_granularity = 64, non_replicated_deduplication_window = 1000;

-- In three steps, so that each value is worked out once: tags by name, then media, then columns.
CREATE MATERIALIZED VIEW IF NOT EXISTS video_versions_mv TO video_versions AS
WITH
    -- the first value of a name, empty when there is none
    ((pairs, name) -> arrayFirst(pair -> pair.1 = name, pairs).2) AS value_of
SELECT
    if(kind IN (34235, 34236), concat(toString(kind), ':', pubkey, ':', d), id) AS video_key,
    id,
    pubkey,
    kind,
    if(kind IN (34235, 34236), d, '') AS d_tag,
    created_at,
    expiration,
    if(
        match(published, '^[0-9]+$'),
        toUInt32(least(ifNull(toUInt64OrNull(published), 4294967295), 4294967295)),
        0
    ) AS published_tag,
    value_of(named, 'title') AS title,
    if(content = '', value_of(named, 'summary'), content) AS content,
    if(match(url, '^https?://'), url, '') AS video_url,
    arrayDistinct(arrayFilter(
        fallback -> match(fallback, '^https?://'),
        arrayMap(pair -> pair.2, arrayFilter(pair -> pair.1 = 'fallback', main))
    )) AS fallback_urls,
    arrayFirst(
        picture -> match(picture, '^https?://'),
        arrayConcat(
            [value_of(main, 'image')],
            arrayMap(pairs -> value_of(pairs, 'image'), media),
            arrayFlatten(arrayMap(
                name -> arrayMap(pair -> pair.2, arrayFilter(pair -> pair.1 = name, named)),
                ['thumb', 'image', 'thumbnail']
            ))
        )
    ) AS thumbnail,
    arrayFirst(
        text -> match(text, '^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$'),
        [value_of(main, 'dim'), value_of(named, 'dim')]
    ) AS dimensions,
    arrayFirst(
        text -> text != '',
        [value_of(main, 'blurhash'), value_of(named, 'blurhash')]
    ) AS blurhash,
    arrayFirst(
        hash -> match(hash, '^[0-9a-f]{64}$'),
        [lower(value_of(main, 'x')), lower(value_of(named, 'x'))]
    ) AS sha256,
    -- nothing lasts no time, and nothing here lasts longer than a day
    arrayFirst(
        seconds -> seconds > 0 AND seconds <= 86400,
        arrayMap(
            text -> toFloat64OrZero(if(match(text, '^[0-9]+([.][0-9]+)?$'), text, '0')),
            [value_of(main, 'duration'), value_of(named, 'duration')]
        )
    ) AS duration,
    arrayFirst(text -> text != '', [value_of(named, 'alt'), value_of(main, 'alt')]) AS alt,
    language,
    arrayDistinct(arrayFilter(
        hashtag -> hashtag != '',
        arrayMap(
            pair -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
                extract(pair.2, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
            ))),
            arrayFilter(pair -> pair.1 = 't', named)
        )
    )) AS hashtags,
    has(names, 'content-warning') OR notEmpty(warning_label) AS sensitive,
    arrayFirst(
        reason -> reason != '',
        [value_of(named, 'content-warning'), warning_label[2]]
    ) AS content_warning,
    lower(arrayFirst(
        text -> text != '',
        [value_of(named, 'platform'), value_of(named, 'origin')]
    )) AS platform,
    toUInt64OrNull(extract(value_of(named, 'loops'), '^0*([0-9]{1,15})$')) AS embedded_loops,
    toUInt64OrZero(extract(value_of(named, 'likes'), '^0*([0-9]{1,15})$')) AS embedded_likes,
    toUInt64OrZero(extract(value_of(named, 'comments'), '^0*([0-9]{1,15})$')) AS embedded_comments,
    toUInt64OrZero(extract(value_of(named, 'reposts'), '^0*([0-9]{1,15})$')) AS embedded_reposts,
    tags
FROM (
    SELECT
        *,
        value_of(named, 'd') AS d,
        value_of(named, 'published_at') AS published,
        -- the first that a player can show as video: not the audio track, not a picture
        arrayFirst(
            pairs -> match(lower(value_of(pairs, 'm')), '^($|video/|application/x-mpegurl$)'),
            media
        ) AS main,
        if(notEmpty(main), value_of(main, 'url'), value_of(named, 'url')) AS url
    FROM (
        SELECT
            id,
            pubkey,
            kind,
            created_at,
            expiration,
            content,
            tags,
            arrayMap(tag -> tag[1], tags) AS names,
            arrayMap(tag -> (tag[1], tag[2]), tags) AS named,
            arrayFirst(tag -> tag[1] = 'l' AND tag[3] = 'ISO-639-1', tags)[2] AS language,
            arrayFirst(tag -> tag[1] = 'l' AND tag[3] = 'content-warning', tags) AS warning_label,
            -- NIP-92 has two encodings in the wild: items "key value", and keys and values in turn.
            -- Either becomes (key, value) pairs. Without a web address a tag describes nothing.
            arrayFilter(
                pairs -> match(value_of(pairs, 'url'), '^https?://'),
                arrayMap(
                    tag -> if(
                        position(tag[2], ' ') > 0,
                        arrayMap(
                            item -> (
                                splitByChar(' ', item)[1],
                                trimBoth(substring(item, position(item, ' ') + 1))
                            ),
                            arrayFilter(item -> position(item, ' ') > 0, arraySlice(tag, 2))
                        ),
                        arrayMap(
                            place -> (tag[2 * place], trimBoth(tag[2 * place + 1])),
                            range(1, intDiv(length(tag) - 1, 2) + 1)
                        )
                    ),
                    arrayFilter(tag -> tag[1] = 'imeta', tags)
                )
            ) AS media
        FROM events_local
        WHERE kind IN (21, 22, 34235, 34236)
    )
);

-- Which video an event id stands for: old ids live on in links, likes and comments.
CREATE TABLE IF NOT EXISTS video_aliases
(
    id String CODEC(ZSTD(1)),
    video_key String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS video_aliases_mv TO video_aliases AS
SELECT
    id,
    video_key,
    pubkey,
    created_at
FROM video_versions;
