-- Lists of videos that are read in their order: the best of each order, and an author's or a hashtag's.

-- Where each video has ever stood, or is about to: written with its row of video_stats and before
-- listed_videos, so that no pass that ends in the middle leaves a row there that nobody knows of.
-- Places of the current row have its version, former ones the version of the last row that had them.
CREATE TABLE IF NOT EXISTS video_places
(
    video_key String CODEC(ZSTD(1)),
    list String CODEC(ZSTD(1)),
    tier Int64 CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    created_at UInt32 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (video_key, list, tier)
SETTINGS index_granularity = 256;

-- Every live video in every list that it belongs to:
--   recent                             tier: the seconds of published_at, negated
--   by:<pubkey>  #<hashtag>  d:<d tag>  with:<collaborator>          the same
--   popular likes comments loops views tier: the number, negated, in powers of two
--   trending, trending plain           tier: likewise, of what has faded since 1970 instead of by now
-- ORDER BY list, tier: the first rows of a list are the first of its order, but for those of one tier,
-- which are sorted when they are read. A number that grows leaves a tier once for each doubling; gone = 1
-- stays behind. FINAL reads in ascending order alone, hence the negated numbers.
CREATE TABLE IF NOT EXISTS listed_videos
(
    list String CODEC(ZSTD(1)),
    tier Int64 CODEC(ZSTD(1)),
    video_key String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    gone UInt8 CODEC(ZSTD(1)),
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    kind UInt16 CODEC(ZSTD(1)),
    platform LowCardinality(String),
    sensitive Bool CODEC(ZSTD(1)),
    -- a picture that may be shown to everybody
    presentable Bool CODEC(ZSTD(1)),
    created_at UInt32 CODEC(ZSTD(1)),
    published_at UInt32 CODEC(ZSTD(1)),
    expiration UInt32 CODEC(ZSTD(1)),
    engagement_score Int64 CODEC(ZSTD(1)),
    plain_score UInt64 CODEC(ZSTD(1)),
    trusted_score Float64 CODEC(ZSTD(1)),
    likes UInt64 CODEC(ZSTD(1)),
    comments UInt64 CODEC(ZSTD(1)),
    views UInt64 CODEC(ZSTD(1)),
    loops Float64 CODEC(ZSTD(1)),
    -- what lists by loops go by: those that an imported video brings along, else those watched here
    listed_loops Float64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY (list, tier, video_key)
SETTINGS index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS video_places_mv TO video_places AS
WITH
    -- powers of two down to 1, then 0, then those below zero
    (score -> if(score < 0, 1, -1) * toInt64(roundToExp2(toUInt64(abs(score))))) AS tier_of,
    -- A score halves in 168 hours times ln 2, so its order is that of log2(score) plus the halvings
    -- since 1970, at any time. The zeros come last, the newest first.
    (score -> if(score > 0, -toInt64(floor(halvings + log2(score))), 10000000000 + by_time)) AS trend_of
SELECT
    video_key,
    place.1 AS list,
    place.2 AS tier,
    version,
    pubkey,
    created_at
FROM (
    SELECT
        video_key,
        version,
        pubkey,
        created_at,
        -toInt64(published_at) AS by_time,
        if(platform = 'vine' AND embedded_loops > 0, assumeNotNull(embedded_loops), loops) AS listed_loops,
        arrayConcat(
            [
                ('recent', by_time),
                (concat('by:', pubkey), by_time),
                ('popular', tier_of(engagement_score)),
                ('likes', tier_of(toInt64(likes))),
                ('comments', tier_of(toInt64(comments))),
                ('loops', tier_of(toInt64(floor(listed_loops)))),
                ('trending', trend_of(trusted_score)),
                ('trending plain', trend_of(toFloat64(plain_score)))
            ],
            if(video_url != '' AND (views > 0 OR loops > 0), [('views', tier_of(toInt64(views)))], []),
            if(d_tag != '', [(concat('d:', d_tag), by_time)], []),
            arrayMap(hashtag -> (concat('#', hashtag), by_time), hashtags),
            arrayMap(
                collaborator -> (concat('with:', collaborator), by_time),
                arrayDistinct(arrayMap(
                    tag -> tag[2],
                    arrayFilter(tag -> tag[1] = 'p' AND lower(tag[4]) = 'collaborator', tags)
                ))
            )
        ) AS places,
        published_at / (168 * 3600 * ln(2)) AS halvings
    FROM video_stats
    WHERE live
)
ARRAY JOIN places AS place;

-- What was there before: each row once more, for the view's sake. They collapse with themselves.
INSERT INTO video_stats
SELECT *
FROM video_stats FINAL;

INSERT INTO listed_videos (
    list, tier, video_key, version, gone, id, pubkey, kind, platform, sensitive, presentable,
    created_at, published_at, expiration, engagement_score, plain_score, trusted_score, likes, comments,
    views, loops, listed_loops
)
SELECT
    places.list,
    places.tier,
    stats.video_key,
    stats.version,
    0 AS gone,
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
FROM video_places AS places FINAL
INNER JOIN video_stats AS stats FINAL
    ON places.video_key = stats.video_key AND places.version = stats.version;

-- The lists are asked for d tags now.
ALTER TABLE video_stats DROP INDEX IF EXISTS d_tag_index;
