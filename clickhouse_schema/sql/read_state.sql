-- How far the projector is, whether anybody has vanished, and the server's clock in milliseconds.
SELECT
    max(version) AS version,
    toUnixTimestamp64Milli(max(settled_until)) AS settled_until_ms,
    max(due_until) AS due_until,
    (SELECT count() FROM vanish_barriers) AS barriers,
    toUnixTimestamp64Milli(now64(3)) AS server_ms
FROM projection_state
