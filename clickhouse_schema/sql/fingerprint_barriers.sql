-- How many barriers a table has, and one number for all of them, in any order.
SELECT
    count() AS rows,
    groupBitXor(cityHash64(pubkey, until)) AS checksum
FROM {table:Identifier}
FINAL
