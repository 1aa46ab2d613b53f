-- Tables that an interrupted rebuild has left behind.
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND match(name, '_rebuild_[0-9]+$')
ORDER BY name
