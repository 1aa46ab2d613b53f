-- Takes a chunk of the videos that a pass has touched into a pass of its own.
INSERT INTO touched (pass, what, key)
SELECT DISTINCT
    {chunk:UInt64} AS pass,
    'video' AS what,
    key
FROM touched
-- qualified: it is the column that is meant, not the new pass
WHERE touched.pass = {pass:UInt64}
    AND touched.what = 'video'
    AND key > {after_key:String}
    AND key <= {until_key:String}
