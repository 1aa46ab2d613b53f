-- The definition of every table, view and dictionary of this database.
SELECT
    name,
    formatQuery(create_table_query) AS definition
FROM system.tables
WHERE database = currentDatabase() AND NOT is_temporary AND NOT startsWith(name, '.inner')
ORDER BY name
