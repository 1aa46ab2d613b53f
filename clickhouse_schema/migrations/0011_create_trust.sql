-- Whose acts count for what is trending: who has been here before, and whom the seeds follow.

-- The earliest date that anybody signed: the history of an account begins there. A row for each time
-- that events of the pubkey came in; the least counts.
CREATE TABLE IF NOT EXISTS first_seen
(
    pubkey String CODEC(ZSTD(1)),
    created_at SimpleAggregateFunction(min, UInt32),
    version SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY pubkey
SETTINGS index_granularity = 256;

-- The standing of everybody whom a seed reaches over the current follow lists (NIP-02). gone = 1 when
-- that is so no longer. Without seeds there is none, and everybody counts alike.
CREATE TABLE IF NOT EXISTS trust_weights
(
    pubkey String CODEC(ZSTD(1)),
    version UInt64,
    gone UInt8,
    -- follows from the nearest seed, which is at 0
    hops UInt8,
    -- 1 for a seed and whom it follows, then half of it with each follow
    weight Float64
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY pubkey
SETTINGS index_granularity = 256;

-- Work space: whom the seeds reach in this pass, and over how many follows.
CREATE TABLE IF NOT EXISTS reached
(
    pass UInt64,
    pubkey String,
    hops UInt8
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, pubkey, hops)
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1;

-- What a video trends by before it fades: one for who reacts and does not dislike it, two for who
-- comments, three for who reposts, each person once. Alike, and by trust. clickhouse_rebuild fills
-- them for the videos that are there.
ALTER TABLE video_stats
    ADD COLUMN IF NOT EXISTS plain_score UInt64 DEFAULT 0 AFTER labels,
    ADD COLUMN IF NOT EXISTS trusted_score Float64 DEFAULT 0 AFTER plain_score;

-- What was there before; a repeated row is the same.
INSERT INTO first_seen (pubkey, created_at, version)
SELECT
    pubkey,
    min(created_at) AS first_at,
    0 AS version
FROM events_by_author
WHERE kind NOT IN (13, 62, 1059, 9735)
GROUP BY pubkey;

DROP VIEW IF EXISTS videos;

-- Live videos, current versions only, as the API shows them.
CREATE VIEW IF NOT EXISTS videos AS
SELECT
    video_key,
    id,
    pubkey,
    created_at,
    published_at,
    kind,
    d_tag,
    if(kind IN (34235, 34236), video_key, '') AS address,
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
    -- halves in about five days; a date in the future is no more than fresh
    trusted_score * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) AS trending_score
FROM video_stats FINAL
WHERE live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900;

DROP VIEW IF EXISTS trending_videos;

-- Videos of the last 30 days, whose trending_score tells their place.
CREATE VIEW IF NOT EXISTS trending_videos AS
SELECT
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
WHERE toInt64(published_at) >= toInt64({now:UInt32}) - 30 * 86400;
