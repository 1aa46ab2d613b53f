-- Takes what passes after the last complete one had touched into this pass.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    what,
    key
FROM touched
WHERE pass > {completed:UInt64} AND pass < {pass:UInt64}
