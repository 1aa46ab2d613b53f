-- As stored_event, of the events that are views.
SELECT
    id,
    pubkey,
    created_at,
    tags,
    content,
    sig
FROM view_events_local
WHERE pubkey NOT IN (SELECT pubkey FROM vanish_barriers)
LIMIT 1
