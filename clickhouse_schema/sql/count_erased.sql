-- How many rows of one table are about to be erased.
SELECT count() AS erased
FROM {table:Identifier}
WHERE {id_column:Identifier} IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64} AND what = 'erased'
)
