-- Takes what arrivals tell of the events of a pass: who signed them, and when they count.
INSERT INTO touched_events (pass, id, pubkey, kind, created_at, expiration)
SELECT
    {pass:UInt64} AS pass,
    id,
    pubkey,
    kind,
    created_at,
    expiration
FROM arrivals
WHERE inserted_at > fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
    AND inserted_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
