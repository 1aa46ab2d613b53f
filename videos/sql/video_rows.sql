-- What the API shows of these videos, in the order of the keys; those that are not live are left out.
SELECT
    id,
    pubkey,
    created_at,
    published_at,
    kind,
    -- web clients know a video by its d tag alone; where the kind has none, the id does as well
    if(kind IN (21, 22), id, d_tag) AS d_tag,
    if(kind IN (34235, 34236), video_key, '') AS address,
    title,
    content,
    thumbnail,
    video_url,
    fallback_urls,
    dimensions,
    dimensions AS dim,
    blurhash,
    sha256,
    if(duration > 0, duration, NULL) AS duration,
    hashtags,
    sensitive,
    content_warning,
    if(authors.display_name != '', authors.display_name, authors.name) AS author_name,
    authors.picture AS author_avatar,
    reactions,
    likes,
    dislikes,
    mapFromArrays(emojis.emoji, emojis.people) AS emojis,
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
    embedded_loops,
    embedded_likes,
    embedded_comments,
    embedded_reposts,
    engagement_score,
    -- halves in about five days; a date in the future is no more than fresh
    if({trusted:Bool}, trusted_score, plain_score) * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) AS trending_score,
    platform,
    toBool(platform = 'vine') AS classic,
    tags
FROM video_stats AS found FINAL
LEFT JOIN (
    SELECT
        pubkey AS author,
        name,
        display_name,
        picture
    FROM user_profiles FINAL
    WHERE pubkey IN (SELECT pubkey FROM video_stats WHERE video_key IN {keys:Array(String)})
        AND user_profiles.live
        AND user_profiles.expiration > {now:UInt32}
) AS authors ON found.pubkey = authors.author
WHERE video_key IN {keys:Array(String)}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY indexOf({keys:Array(String)}, video_key) ASC
LIMIT 100
