-- How far the projector is, whether anybody has vanished, the server's clock in milliseconds, and for how
-- long the oldest insert of events had been under way there when, or after, it was read.
WITH
    (
        SELECT (toUnixTimestamp64Milli(now64(3)), toInt64(ceil(1000 * max(elapsed))))
        FROM system.processes
        WHERE query_kind = 'Insert'
            AND match(query, '(?i)\\binto\\s+(table\\s+)?(`?\\w+`?\\.)?`?(view_)?events_local\\b')
    ) AS clock
SELECT
    max(version) AS version,
    toUnixTimestamp64Milli(max(settled_until)) AS settled_until_ms,
    max(due_until) AS due_until,
    (SELECT count() FROM vanish_barriers) AS barriers,
    clock.1 AS server_ms,
    clock.2 AS inserting_for_ms
FROM projection_state
