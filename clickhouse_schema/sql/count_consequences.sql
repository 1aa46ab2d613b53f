-- What touched events may have changed beside what they are about: mostly nothing.
SELECT
    countIf(
        (expiration > {now:UInt32} AND expiration < 4294967295) OR created_at > {now:UInt32} + 900
    ) AS due,
    countIf(kind IN (0, 3, 10003, 30003, 30005)) AS replaceable,
    countIf(kind NOT IN (13, 62, 1059, 9735, 22236)) AS authors,
    -- what has been reacted to before it was known
    (
        SELECT count()
        FROM engagement
        PREWHERE target IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64})
        WHERE relation = 'reaction'
            AND event_id NOT IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64})
    ) AS reacted_to,
    -- whose authors' acts have a history behind them now
    (
        SELECT count()
        FROM (
            SELECT pubkey
            FROM (
                SELECT
                    pubkey,
                    created_at AS known,
                    4294967295 AS earlier
                FROM first_seen
                WHERE pubkey IN (SELECT pubkey FROM touched_events WHERE pass = {pass:UInt64})
                UNION ALL
                SELECT
                    pubkey,
                    4294967295 AS known,
                    created_at AS earlier
                FROM touched_events
                WHERE pass = {pass:UInt64} AND kind NOT IN (13, 62, 1059, 9735, 22236)
            )
            GROUP BY pubkey
            HAVING min(earlier) < min(known) AND min(known) < 4294967295
        )
    ) AS seasoned
FROM touched_events
WHERE pass = {pass:UInt64}
