-- What tells this database from one of the same name that was created before or elsewhere.
SELECT toString(uuid) AS identity
FROM system.databases
WHERE name = currentDatabase()
