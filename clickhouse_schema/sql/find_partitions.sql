-- The partitions of a table that hold rows.
SELECT DISTINCT partition_id
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
ORDER BY partition_id
