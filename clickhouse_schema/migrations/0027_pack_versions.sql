-- What a version says of its video, in one column: a pass of the projector pays for each column of each
-- version that it reads, however little is in it.

ALTER TABLE video_versions
    ADD COLUMN IF NOT EXISTS details String MATERIALIZED toJSONString(CAST(
        (
            kind, d_tag, expiration, published_tag, title, content, video_url, fallback_urls,
            thumbnail, dimensions, blurhash, sha256, duration, alt, language, hashtags, sensitive,
            content_warning, platform, embedded_loops, embedded_likes, embedded_comments,
            embedded_reposts, tags
        ),
        'Tuple(
            kind UInt16, d_tag String, expiration UInt32, published_tag UInt32, title String,
            content String, video_url String, fallback_urls Array(String), thumbnail String,
            dimensions String, blurhash String, sha256 String, duration Float64, alt String,
            language String, hashtags Array(String), sensitive Bool, content_warning String,
            platform String, embedded_loops Nullable(UInt64), embedded_likes UInt64,
            embedded_comments UInt64, embedded_reposts UInt64, tags Array(Array(String))
        )'
    )) CODEC(ZSTD(1));

-- It is looked for in each part, in most of them in vain.
ALTER TABLE video_versions MODIFY COLUMN video_key String CODEC(LZ4);

-- The versions that were there before.
ALTER TABLE video_versions MATERIALIZE COLUMN details SETTINGS mutations_sync = 2;

-- A pass looks them up with the targets of its videos, and drops them when it is through. What earlier passes
-- have left there nobody asks for.
DROP TABLE IF EXISTS touched_targets SYNC;

CREATE TABLE IF NOT EXISTS touched_targets
(
    pass UInt64,
    target String,
    video_key String,
    pubkey String,
    -- of the version whose id the target is; an address has none
    created_at UInt32,
    details String
)
ENGINE = MergeTree
PARTITION BY pass
ORDER BY pass
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 1 HOUR
SETTINGS ttl_only_drop_parts = 1, old_parts_lifetime = 10;
