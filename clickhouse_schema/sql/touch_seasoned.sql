-- Finds the acts that have a history behind them now: an event from before its author's first has come.
INSERT INTO touched (pass, what, key)
WITH
    earlier AS (
        SELECT
            pubkey,
            min(created_at) AS first_at
        FROM touched_events
        WHERE pass = {pass:UInt64} AND kind NOT IN (13, 62, 1059, 9735, 22236)
        GROUP BY pubkey
    ),
    moved AS (
        SELECT
            known.pubkey AS pubkey,
            earlier.first_at AS first_at,
            known.first_at AS known_at
        FROM (
            SELECT
                pubkey,
                min(created_at) AS first_at
            FROM first_seen
            WHERE pubkey IN (SELECT pubkey FROM touched_events WHERE pass = {pass:UInt64})
            GROUP BY pubkey
        ) AS known
        INNER JOIN earlier ON known.pubkey = earlier.pubkey
        WHERE earlier.first_at < known.first_at
    )
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM events_by_author
INNER JOIN moved ON events_by_author.pubkey = moved.pubkey
WHERE events_by_author.pubkey IN (SELECT pubkey FROM moved)
    AND kind IN (1, 6, 7, 16, 1111)
    AND created_at >= moved.first_at + 86400
    AND created_at < moved.known_at + 86400
