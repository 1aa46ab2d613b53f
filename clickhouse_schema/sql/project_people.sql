-- Computes when the touched people were here first, out of all that they have signed.
INSERT INTO first_seen (pubkey, created_at, version)
SELECT
    pubkey,
    min(created_at) AS first_at,
    {pass:UInt64} AS version
FROM events_by_author
WHERE pubkey IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'person')
    AND kind NOT IN (13, 62, 1059, 9735)
GROUP BY pubkey
