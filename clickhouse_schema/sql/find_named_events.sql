-- Looks up the events that came into the pass later, such as those that deletion requests name.
INSERT INTO touched_events (pass, id, pubkey, kind, created_at, expiration)
SELECT
    {pass:UInt64} AS pass,
    id,
    pubkey,
    kind,
    created_at,
    expiration
FROM events_local
WHERE id IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64}
        AND what = 'event'
        AND key NOT IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64})
)
