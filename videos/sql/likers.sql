-- Who reacted to a video and does not dislike it, latest first; each with their latest such reaction.
WITH
    targets AS (
        -- include targets
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
        -- include live_acts
        -- include unless_known
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
