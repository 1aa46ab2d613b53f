-- What a leaderboard shows of these videos and their authors.
SELECT
    video_key,
    id,
    pubkey,
    kind,
    d_tag,
    title,
    thumbnail,
    video_url,
    if(authors.display_name != '', authors.display_name, authors.name) AS author_name,
    authors.picture AS author_avatar
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
LIMIT 100
-- One thread: a granule for each key is not worth more, and each costs planning.
SETTINGS max_threads = 1
