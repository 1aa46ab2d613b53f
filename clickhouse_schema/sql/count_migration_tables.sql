-- Whether a database has its record of migrations, as 0 or 1.
SELECT count() AS tables
FROM system.tables
WHERE database = {database_name:String} AND name = 'schema_migrations'
