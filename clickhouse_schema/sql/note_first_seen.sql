-- Notes when the authors of the touched events were here; the earliest time counts.
INSERT INTO first_seen (pubkey, created_at, version)
SELECT
    pubkey,
    min(created_at) AS first_at,
    {pass:UInt64} AS version
FROM events_local
WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
    -- the signers of seals, gift wraps and zap receipts are not people, and a request to vanish is
    -- kept as the proof alone
    AND kind NOT IN (13, 62, 1059, 9735)
GROUP BY pubkey
