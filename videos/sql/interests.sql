-- What a person's latest acts on videos say of them: hashtags and authors with the number of videos, and
-- the videos themselves. A video that they dislike is one that they know, and says nothing else; so is
-- what they did after the first page was ranked, that the next ones go on as it began.
WITH
    latest AS (
        SELECT id
        FROM (
            SELECT
                id,
                created_at
            FROM events_by_author
            WHERE pubkey = {pubkey:String}
                AND kind IN (6, 7, 16, 1111)
                AND created_at <= {now:UInt32} + 900
            LIMIT 1 BY id
        )
        -- of what they did after the ranking and of what before, that neither makes room for the other
        ORDER BY
            created_at DESC,
            id ASC
        LIMIT {act_limit:UInt16} BY created_at > {ranked_at:UInt32}
    ),
    named AS (SELECT target FROM engagement_targets WHERE event_id IN latest),
    acts AS (
        SELECT
            if(match(engagement.target, '^3423[56]:'), engagement.target, aliases.video_key) AS video_key,
            token,
            created_at
        FROM engagement
        LEFT JOIN (
            SELECT
                id,
                video_key
            FROM video_aliases
            WHERE id IN named AND created_at <= {now:UInt32} + 900
        ) AS aliases ON engagement.target = aliases.id
        WHERE engagement.target IN named
            AND event_id IN latest
            AND relation IN ('reaction', 'comment', 'repost')
            AND expiration > {now:UInt32}
            AND (event_id, pubkey) NOT IN (
                SELECT
                    target,
                    pubkey
                FROM deletions
                WHERE target IN latest AND created_at <= {now:UInt32} + 900
            )
    ),
    known AS (
        SELECT
            video_key,
            countIf(created_at <= {ranked_at:UInt32}) > 0 AS known_before,
            countIf(token = '-' AND created_at <= {ranked_at:UInt32}) > 0 AS disliked
        FROM acts
        WHERE video_key != ''
        GROUP BY video_key
    ),
    liked AS (
        SELECT
            pubkey,
            hashtags
        FROM video_stats FINAL
        WHERE video_key IN (SELECT video_key FROM known WHERE known_before AND NOT disliked)
            AND pubkey != {pubkey:String}
            AND live
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
    )
SELECT
    what,
    name,
    weight
FROM (
    SELECT
        'hashtag' AS what,
        hashtag AS name,
        count() AS weight
    FROM liked
    ARRAY JOIN hashtags AS hashtag
    GROUP BY hashtag
    UNION ALL
    SELECT
        'author' AS what,
        pubkey AS name,
        count() AS weight
    FROM liked
    GROUP BY pubkey
    UNION ALL
    SELECT
        'video' AS what,
        video_key AS name,
        1 AS weight
    FROM known
)
ORDER BY
    what ASC,
    weight DESC,
    name ASC
LIMIT 2 * {act_limit:UInt16} BY what
