-- Every view that extracts facts, with the table that it reads, the one that it fills, and its question.
SELECT
    views.name AS view,
    sources.name AS source,
    extract(create_table_query, ' TO (?:`?\\w+`?[.])?`?(\\w+)`?') AS table,
    columns.names AS columns,
    as_select
FROM (
    SELECT
        name,
        create_table_query,
        as_select
    FROM system.tables
    WHERE database = currentDatabase() AND engine = 'MaterializedView'
) AS views
INNER JOIN (
    SELECT
        name,
        arrayJoin(dependencies_table) AS view
    FROM system.tables
    WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
) AS sources ON views.name = sources.view
INNER JOIN (
    SELECT
        table,
        groupArray(name) AS names
    FROM system.columns
    WHERE database = currentDatabase()
    GROUP BY table
) AS columns ON views.name = columns.table
ORDER BY view
