-- Puts down the standing of whoever has another one than before: seeds and whom they follow count in
-- full, then each follow halves it.
INSERT INTO trust_weights (pubkey, version, gone, hops, weight)
SELECT
    pubkey,
    {pass:UInt64} AS version,
    hops_now = 255 AS gone,
    hops_now AS hops,
    if(hops_now = 255, 0, exp2(-greatest(0, toInt16(hops_now) - 1))) AS weight
FROM (
    SELECT
        pubkey,
        min(now) AS hops_now
    FROM (
        SELECT
            pubkey,
            reached.hops AS now,
            255 AS before
        FROM reached
        WHERE pass = {pass:UInt64}
        UNION ALL
        SELECT
            pubkey,
            255 AS now,
            trust_weights.hops AS before
        FROM trust_weights FINAL
    )
    GROUP BY pubkey
    HAVING min(now) != min(before)
)
