-- What the API shows of a video, in one column: each of forty columns costs a query time of its own, to be
-- planned and to be read, whether there are many rows or one.

ALTER TABLE video_stats
    ADD COLUMN IF NOT EXISTS shown String MATERIALIZED toJSONString(CAST(
        (
            kind, d_tag, created_at, published_at, title, content, thumbnail, video_url,
            fallback_urls, dimensions, blurhash, sha256, duration, hashtags, sensitive,
            content_warning, reactions, likes, dislikes, emojis, comments, reposts, quotes,
            bookmarks, zaps, zap_msat, zaps_unverified, zap_msat_unverified, views, unique_viewers,
            loops, embedded_loops, embedded_likes, embedded_comments, embedded_reposts,
            engagement_score, platform, tags
        ),
        'Tuple(
            kind UInt16, d_tag String, created_at UInt32, published_at UInt32, title String,
            content String, thumbnail String, video_url String, fallback_urls Array(String),
            dimensions String, blurhash String, sha256 String, duration Float64,
            hashtags Array(String), sensitive Bool, content_warning String, reactions UInt64,
            likes UInt64, dislikes UInt64, emojis Array(Tuple(emoji String, people UInt64)),
            comments UInt64, reposts UInt64, quotes UInt64, bookmarks UInt64, zaps UInt64,
            zap_msat UInt64, zaps_unverified UInt64, zap_msat_unverified UInt64, views UInt64,
            unique_viewers UInt64, loops Float64, embedded_loops Nullable(UInt64),
            embedded_likes UInt64, embedded_comments UInt64, embedded_reposts UInt64,
            engagement_score Int64, platform String, tags Array(Array(String))
        )'
    )) CODEC(ZSTD(1));

-- The videos that were there before.
ALTER TABLE video_stats MATERIALIZE COLUMN shown SETTINGS mutations_sync = 2;
