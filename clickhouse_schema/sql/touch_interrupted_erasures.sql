-- Takes what other erasing passes had touched into the pass. One of them may have ended in the middle:
-- the facts that lead from an event to its videos are gone then, before these are computed again.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    what,
    key
FROM touched
-- qualified: it is the column that is meant, not the new pass
WHERE touched.pass IN (
    SELECT pass
    FROM touched
    WHERE pass < {pass:UInt64} AND what = 'erased'
)
    AND what != 'event'
