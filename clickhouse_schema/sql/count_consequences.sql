-- Whether the touched events change by themselves later, and whether some lend their authors' acts a
-- history: mostly not.
SELECT
    countIf(
        (expiration > {now:UInt32} AND expiration < 4294967295) OR created_at > {now:UInt32} + 900
    ) AS due,
    (
        SELECT count()
        FROM (
            SELECT
                pubkey,
                min(created_at) AS first_at
            FROM first_seen
            WHERE pubkey IN (SELECT pubkey FROM touched_events WHERE pass = {pass:UInt64})
            GROUP BY pubkey
        ) AS known
        INNER JOIN (
            SELECT
                pubkey,
                min(created_at) AS first_at
            FROM touched_events
            WHERE pass = {pass:UInt64} AND kind NOT IN (13, 62, 1059, 9735, 22236)
            GROUP BY pubkey
        ) AS earlier ON known.pubkey = earlier.pubkey
        WHERE earlier.first_at < known.first_at
    ) AS seasoned
FROM touched_events
WHERE pass = {pass:UInt64}
