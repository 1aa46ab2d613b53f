-- The objects that people ask by name. Each gives what the API gives at Unix second {now:UInt32}.

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
    -- halves in about five days; a date in the future is no more than fresh
    engagement_score * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) AS trending_score
FROM video_stats FINAL
WHERE live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900;

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
    trending_score
FROM videos(now = {now:UInt32})
WHERE toInt64(published_at) >= toInt64({now:UInt32}) - 30 * 86400;

CREATE VIEW IF NOT EXISTS reaction_counts AS
SELECT
    video_key,
    id,
    reactions,
    likes,
    dislikes,
    emojis
FROM videos(now = {now:UInt32});

CREATE VIEW IF NOT EXISTS comment_counts AS
SELECT
    video_key,
    id,
    comments
FROM videos(now = {now:UInt32});

CREATE VIEW IF NOT EXISTS repost_counts AS
SELECT
    video_key,
    id,
    reposts,
    quotes
FROM videos(now = {now:UInt32});

-- One row for each hashtag of each live video.
CREATE VIEW IF NOT EXISTS video_hashtags AS
SELECT
    hashtag,
    video_key,
    id,
    pubkey,
    published_at
FROM videos(now = {now:UInt32})
ARRAY JOIN hashtags AS hashtag;

CREATE VIEW IF NOT EXISTS popular_video_hashtags AS
SELECT
    hashtag,
    uniqExact(video_key) AS video_count,
    uniqExact(pubkey) AS unique_creators,
    max(published_at) AS last_used
FROM video_hashtags(now = {now:UInt32})
GROUP BY hashtag;

CREATE VIEW IF NOT EXISTS top_video_creators AS
SELECT
    pubkey,
    count() AS video_count,
    sum(engagement_score) AS engagement_score,
    sum(reactions) AS reactions,
    sum(comments) AS comments,
    sum(reposts) AS reposts
FROM videos(now = {now:UInt32})
GROUP BY pubkey;

-- Decision D9: who signed anything in that time, without the signers of seals, gift wraps and zap
-- receipts, who are not people. Deleted and expired events still show that somebody was there.
CREATE VIEW IF NOT EXISTS daily_active_users AS
SELECT
    toDate(toDateTime(created_at, 'UTC')) AS day,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE kind NOT IN (13, 1059, 9735) AND created_at <= {now:UInt32} + 900
GROUP BY day;

CREATE VIEW IF NOT EXISTS weekly_active_users AS
SELECT
    toMonday(toDateTime(created_at, 'UTC')) AS week,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE kind NOT IN (13, 1059, 9735) AND created_at <= {now:UInt32} + 900
GROUP BY week;

CREATE VIEW IF NOT EXISTS monthly_active_users AS
SELECT
    toStartOfMonth(toDateTime(created_at, 'UTC')) AS month,
    uniqExact(pubkey) AS active_users
FROM events_by_kind
WHERE kind NOT IN (13, 1059, 9735) AND created_at <= {now:UInt32} + 900
GROUP BY month;

-- Every tag of every event, for questions that no table was made for.
CREATE VIEW IF NOT EXISTS event_tags_flat AS
SELECT
    id AS event_id,
    pubkey,
    created_at,
    kind,
    tag[1] AS tag_name,
    tag[2] AS tag_value,
    tag
FROM events_local FINAL
ARRAY JOIN tags AS tag;
