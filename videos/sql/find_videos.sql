-- The video that each reference names, and its author: the id of any of its versions, its address, or its d tag. Several
-- authors may use one d tag; then the video with the most engagement is meant, the oldest of equals.
SELECT
    reference,
    video_key,
    pubkey
FROM (
    SELECT
        id AS reference,
        video_key,
        pubkey,
        1 AS place,
        0 AS engagement_score,
        0 AS published_at
    FROM video_aliases
    WHERE id IN {references:Array(String)} AND created_at <= {now:UInt32} + 900
    UNION ALL
    SELECT
        arrayJoin({references:Array(String)}) AS reference,
        reference AS video_key,
        splitByChar(':', reference)[2] AS pubkey,
        2 AS place,
        0 AS engagement_score,
        0 AS published_at
    WHERE match(reference, '^3423[56]:[0-9a-f]{64}:')
    UNION ALL
    SELECT
        substring(list, 3) AS reference,
        video_key,
        pubkey,
        3 AS place,
        engagement_score,
        published_at
    FROM listed_videos FINAL
    WHERE list IN (SELECT concat('d:', arrayJoin({references:Array(String)})))
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
)
ORDER BY
    reference ASC,
    place ASC,
    engagement_score DESC,
    published_at ASC,
    video_key ASC
LIMIT 1 BY reference
