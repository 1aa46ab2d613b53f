-- Raises a barrier for each touched request to vanish that is due and names this service (NIP-62).
INSERT INTO vanish_barriers (pubkey, until)
SELECT
    pubkey,
    created_at AS until
FROM vanish_requests
WHERE id IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64} AND kind = 62)
    AND created_at <= {now:UInt32} + 900
    AND hasAny(relays, arrayConcat(['ALL_RELAYS'], {own_relays:Array(String)}))
