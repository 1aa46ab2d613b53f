-- Whether a database exists, as 0 or 1.
SELECT count() AS databases
FROM system.databases
WHERE name = {database_name:String}
