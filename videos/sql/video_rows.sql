-- What is shown of these videos, in the order of the keys; those that are not live are left out.
SELECT
    video_key,
    id,
    pubkey,
    -- in one column: forty would cost more to plan than to read
    shown,
    if(authors.display_name != '', authors.display_name, authors.name) AS author_name,
    authors.picture AS author_avatar,
    -- halves in about five days; a date in the future is no more than fresh
    if({trusted:Bool}, trusted_score, plain_score) * exp(
        -greatest(0, toInt64({now:UInt32}) - toInt64(published_at)) / 3600 / 168
    ) AS trending_score
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
