-- Notes when the authors of the touched events were here; the earliest time counts.
INSERT INTO first_seen (pubkey, created_at, version)
SELECT
    pubkey,
    min(created_at) AS first_at,
    {pass:UInt64} AS version
FROM touched_events
WHERE pass = {pass:UInt64}
    -- the signers of seals, gift wraps and zap receipts are not people, a request to vanish is kept as
    -- the proof alone, and who only watches has no history
    AND kind NOT IN (13, 62, 1059, 9735, 22236)
GROUP BY pubkey
