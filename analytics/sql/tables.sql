-- What each table holds, and what ClickHouse is doing with it. Rows are those on disk, copies included.
SELECT
    stored.table AS name,
    stored.rows AS rows,
    stored.bytes AS bytes,
    stored.parts AS parts,
    stored.partition_parts AS partition_parts,
    merging.merges AS merges,
    mutating.mutations AS mutations
FROM (
    SELECT
        table,
        sum(in_partition.rows) AS rows,
        sum(in_partition.bytes) AS bytes,
        sum(in_partition.parts) AS parts,
        max(in_partition.parts) AS partition_parts
    FROM (
        SELECT
            table,
            partition_id,
            sum(parts.rows) AS rows,
            sum(parts.bytes_on_disk) AS bytes,
            count() AS parts
        FROM system.parts AS parts
        WHERE database = currentDatabase()
            AND active
        GROUP BY table, partition_id
    ) AS in_partition
    GROUP BY table
) AS stored
LEFT JOIN (
    SELECT
        table,
        count() AS merges
    FROM system.merges
    WHERE database = currentDatabase()
    GROUP BY table
) AS merging ON stored.table = merging.table
LEFT JOIN (
    SELECT
        table,
        count() AS mutations
    FROM system.mutations
    WHERE database = currentDatabase()
        AND NOT is_done
    GROUP BY table
) AS mutating ON stored.table = mutating.table
ORDER BY bytes DESC, name ASC
LIMIT 200
