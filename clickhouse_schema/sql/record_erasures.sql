-- Records that the barriers of these pubkeys have been carried out.
INSERT INTO erasures (pubkey, until)
SELECT
    pubkey,
    until
FROM vanish_barriers
WHERE arrayExists(
    (erased, erased_until) -> pubkey = erased AND until <= erased_until,
    {pubkeys:Array(String)},
    {untils:Array(UInt32)}
)
