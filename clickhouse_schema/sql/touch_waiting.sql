-- Takes what waits to be written of earlier passes into this one.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    what,
    key
FROM touched
-- qualified: it is the column that is meant, not the new pass
WHERE touched.pass IN {passes:Array(UInt64)} AND what IN ('profile', 'text')
