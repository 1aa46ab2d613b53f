-- Where a chunk of the touched videos ends, in the order of their keys.
SELECT
    count() AS keys,
    max(key) AS until_key
FROM (
    SELECT DISTINCT key
    FROM touched
    WHERE pass = {pass:UInt64} AND what = 'video' AND key > {after_key:String}
    ORDER BY key ASC
    LIMIT {row_limit:UInt32}
)
