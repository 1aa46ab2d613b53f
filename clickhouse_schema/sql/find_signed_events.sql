-- Whether there is any event that generate_events has not made, as 0 or 1.
SELECT count() AS found
FROM (
    SELECT sig
    FROM events_local
    WHERE NOT startsWith(sig, repeat('0', 32))
    LIMIT 1
    UNION ALL
    SELECT sig
    FROM view_events_local
    WHERE NOT startsWith(sig, repeat('0', 32))
    LIMIT 1
)
LIMIT 1
