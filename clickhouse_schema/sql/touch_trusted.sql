-- Finds what those have done whose standing is another one than before.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM events_by_author
WHERE pubkey IN (
    SELECT pubkey
    FROM (
        SELECT
            pubkey,
            hops AS now,
            255 AS before
        FROM reached
        WHERE pass = {pass:UInt64}
        UNION ALL
        SELECT
            pubkey,
            255 AS now,
            hops AS before
        FROM trust_weights FINAL
    )
    GROUP BY pubkey
    HAVING min(now) != min(before)
)
    AND kind IN (1, 6, 7, 16, 1111)
