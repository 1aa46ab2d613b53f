-- Puts the videos that some passes have computed into the lists in which they are now, and takes them out of
-- where they were. A row is as new as the counts from which it is made, whenever it is written.
INSERT INTO listed_videos (
    list, tier, video_key, version, gone, id, pubkey, kind, platform, sensitive, presentable,
    created_at, published_at, expiration, engagement_score, plain_score, trusted_score, likes, comments,
    views, loops, listed_loops
)
WITH
    videos AS (SELECT key FROM touched WHERE pass IN {passes:Array(UInt64)} AND what = 'video')
SELECT
    places.list,
    places.tier,
    stats.video_key,
    stats.version,
    places.version != stats.version AS gone,
    stats.id,
    stats.pubkey,
    stats.kind,
    stats.platform,
    stats.sensitive,
    stats.thumbnail != '' AND NOT stats.sensitive AS presentable,
    stats.created_at,
    stats.published_at,
    stats.expiration,
    stats.engagement_score,
    stats.plain_score,
    stats.trusted_score,
    stats.likes,
    stats.comments,
    stats.views,
    stats.loops,
    if(
        stats.platform = 'vine' AND stats.embedded_loops > 0, assumeNotNull(stats.embedded_loops), stats.loops
    ) AS listed_loops
FROM (
    SELECT
        video_key,
        list,
        tier,
        version,
        -- where the row before these passes stood
        maxIf(version, version < arrayMin({passes:Array(UInt64)})) OVER (PARTITION BY video_key) AS earlier
    FROM (
        -- each place once: grouped, not FINAL, which merges all parts to find the same
        SELECT
            video_key,
            list,
            tier,
            max(version) AS version
        FROM video_places
        PREWHERE video_key IN videos
        GROUP BY
            video_key,
            list,
            tier
    )
    -- Other projectors and passes that broke may have left any place behind.
    QUALIFY {afresh:UInt8} OR version >= earlier
) AS places
INNER JOIN (
    SELECT
        video_key,
        version,
        id,
        pubkey,
        kind,
        platform,
        sensitive,
        thumbnail,
        created_at,
        published_at,
        expiration,
        engagement_score,
        plain_score,
        trusted_score,
        likes,
        comments,
        views,
        loops,
        embedded_loops
    FROM video_stats
    -- of these passes, or of a later one of another projector: older rows are not looked at
    WHERE video_key IN videos AND version >= arrayMin({passes:Array(UInt64)})
    ORDER BY version DESC
    LIMIT 1 BY video_key
) AS stats ON places.video_key = stats.video_key
-- what another projector has begun to write is written to the end by itself
WHERE places.version <= stats.version
