-- Goes on to whom those follow who were reached last (NIP-02).
INSERT INTO reached (pass, pubkey, hops)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    entry AS pubkey,
    {reach:UInt8} AS hops
FROM (
    SELECT arrayJoin(entries) AS entry
    FROM current_lists FINAL
    WHERE list IN (
        SELECT concat('3:', pubkey, ':')
        FROM reached
        WHERE pass = {pass:UInt64} AND hops = {reach:UInt8} - 1
    )
)
WHERE entry NOT IN (
    SELECT pubkey
    FROM reached
    WHERE pass = {pass:UInt64} AND hops < {reach:UInt8}
)
