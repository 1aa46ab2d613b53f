-- Who reacted to a video and does not dislike it, latest first; each with their latest such reaction.
WITH
    targets AS (
        SELECT {video_key:String} AS target
        UNION ALL
        SELECT id AS target
        FROM video_versions
        WHERE video_key = {video_key:String} AND created_at <= {now:UInt32} + 900
    )
SELECT
    person AS pubkey,
    liked.1 AS created_at,
    liked.2 AS event_id
FROM (
    SELECT
        actor AS person,
        argMinIf(
            (created_at, event_id),
            (-toInt64(created_at), event_id),
            token != '-'
        ) AS liked
    FROM engagement
    WHERE target IN targets
        AND relation = 'reaction'
        AND created_at <= {now:UInt32} + 900
        AND expiration > {now:UInt32}
        -- NIP-25: where the id that the reaction names turns out to be known, the id decides alone
        AND unless_known NOT IN (
            SELECT id
            FROM events_local
            WHERE id IN (
                SELECT unless_known
                FROM engagement
                WHERE target IN targets AND unless_known != ''
            )
                AND created_at <= {now:UInt32} + 900
        )
        AND (event_id, pubkey) NOT IN (
            SELECT
                target,
                pubkey
            FROM deletions
            WHERE target IN (SELECT event_id FROM engagement WHERE target IN targets)
                AND created_at <= {now:UInt32} + 900
        )
    GROUP BY actor
    -- decision D2: the latest vote decides, at the same second the lowest id
    HAVING argMinIf(token, (-toInt64(created_at), event_id), token IN ('+', '', '-')) != '-'
)
WHERE {after_pubkey:String} = ''
    OR (-toInt64(liked.1), person) > (-toInt64({after_created_at:UInt32}), {after_pubkey:String})
ORDER BY
    liked.1 DESC,
    person ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
