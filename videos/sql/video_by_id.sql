-- The row of the live video of which this is the id of a version, as in video_rows.sql.
WITH
    (
        SELECT (any(video_key), any(pubkey))
        FROM video_aliases
        WHERE id = {id:String} AND created_at <= {now:UInt32} + 900
    ) AS known,
    -- for one video alone this takes less than a join to its author
    (
        SELECT (any(if(display_name != '', display_name, name)), any(picture))
        FROM user_profiles FINAL
        WHERE pubkey = known.2
            AND live
            AND expiration > {now:UInt32}
    ) AS author
SELECT
    video_key,
    id,
    pubkey,
    shown,
    author.1 AS author_name,
    author.2 AS author_avatar,
    {score:Identifier} * exp(least(0, published_at - {now:UInt32}) / 3600 / 168) AS trending_score
FROM video_stats FINAL
WHERE video_key = known.1
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
SETTINGS max_threads = 1
