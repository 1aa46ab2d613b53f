-- Takes what passes after the last complete one had touched into this pass.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    what,
    key
FROM touched
-- qualified: it is the column that is meant, not the new pass
WHERE touched.pass > {completed:UInt64} AND touched.pass < {pass:UInt64}
