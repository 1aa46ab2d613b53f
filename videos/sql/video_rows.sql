-- What is shown of these videos, in any order; those that are not live are left out.
SELECT
    video_key,
    id,
    pubkey,
    -- in one column: forty would cost more to plan than to read
    shown,
    if(display_name != '', display_name, name) AS author_name,
    picture AS author_avatar,
    -- halves in about five days; a date in the future is no more than fresh
    {score:Identifier} * exp(least(0, published_at - {now:UInt32}) / 3600 / 168) AS trending_score
FROM video_stats FINAL
LEFT JOIN (
    SELECT
        pubkey AS author,
        name,
        display_name,
        picture
    FROM user_profiles FINAL
    -- given, as whoever knows the keys does: to ask the videos for them would take longer than these rows
    WHERE pubkey IN {authors:Array(String)}
        AND user_profiles.live
        AND user_profiles.expiration > {now:UInt32}
) AS authors ON video_stats.pubkey = authors.author
WHERE video_key IN {keys:Array(String)}
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
-- One thread: a granule for each of a hundred keys is not worth more, and each costs planning.
SETTINGS max_threads = 1
