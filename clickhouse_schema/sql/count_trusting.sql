-- How many of the touched follow lists are of people whose follows may lend standing to others.
SELECT count() AS lists
FROM touched
WHERE pass = {pass:UInt64}
    AND what = 'list'
    AND startsWith(key, '3:')
    AND (
        substring(key, 3, 64) IN {trust_seeds:Array(String)}
        OR substring(key, 3, 64) IN (
            SELECT pubkey
            FROM trust_weights FINAL
            WHERE hops < {trust_hops:UInt8}
        )
    )
