-- Barriers that have not been carried out, and those that a touched event has come through.
SELECT
    pubkey,
    max(until) AS erased_until
FROM vanish_barriers
WHERE (pubkey, until) NOT IN (SELECT pubkey, until FROM erasures)
    OR pubkey IN (
        SELECT events_local.pubkey
        FROM events_local
        INNER JOIN (
            SELECT
                pubkey,
                max(until) AS barred_until
            FROM vanish_barriers
            GROUP BY pubkey
        ) AS barriers ON events_local.pubkey = barriers.pubkey
        WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
            AND events_local.created_at <= barriers.barred_until
            AND kind != 62
        UNION ALL
        SELECT view_events_local.pubkey
        FROM view_events_local
        INNER JOIN (
            SELECT
                pubkey,
                max(until) AS barred_until
            FROM vanish_barriers
            GROUP BY pubkey
        ) AS barriers ON view_events_local.pubkey = barriers.pubkey
        WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
            AND view_events_local.created_at <= barriers.barred_until
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
            WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
                AND kind = 1059
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
