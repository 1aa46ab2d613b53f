-- Barriers that have not been carried out, and those that a touched event has come through.
SELECT
    pubkey,
    max(until) AS erased_until
FROM vanish_barriers
WHERE (pubkey, until) NOT IN (SELECT pubkey, until FROM erasures)
    OR pubkey IN (
        SELECT touched_events.pubkey
        FROM touched_events
        INNER JOIN (
            SELECT
                pubkey,
                max(until) AS barred_until
            FROM vanish_barriers
            GROUP BY pubkey
        ) AS barriers ON touched_events.pubkey = barriers.pubkey
        WHERE pass = {pass:UInt64}
            AND touched_events.created_at <= barriers.barred_until
            AND kind != 62
        UNION ALL
        -- gift wraps are signed by throw-away keys: the p tag says for whom they are
        SELECT wraps.recipient
        FROM (
            SELECT
                arrayJoin(arrayMap(
                    tag -> tag[2],
                    arrayFilter(tag -> tag[1] = 'p', tags)
                )) AS recipient,
                created_at
            FROM events_local
            WHERE id IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64} AND kind = 1059)
        ) AS wraps
        INNER JOIN (
            SELECT
                pubkey,
                max(until) AS barred_until
            FROM vanish_barriers
            GROUP BY pubkey
        ) AS barriers ON wraps.recipient = barriers.pubkey
        WHERE wraps.created_at <= barriers.barred_until
    )
GROUP BY pubkey
