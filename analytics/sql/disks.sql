-- How full the disks of the ClickHouse server are; what lies in object storage has no end.
SELECT
    name,
    free_space AS free_bytes,
    total_space AS total_bytes
FROM system.disks
WHERE NOT is_remote
ORDER BY name ASC
LIMIT 100
