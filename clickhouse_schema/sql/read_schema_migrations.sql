-- What is recorded of each migration.
SELECT
    name,
    state,
    checksum,
    statements_done,
    version
FROM schema_migrations FINAL
ORDER BY name
