-- Takes a chunk of arrivals into the pass.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM arrivals
WHERE inserted_at > fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
    AND inserted_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
