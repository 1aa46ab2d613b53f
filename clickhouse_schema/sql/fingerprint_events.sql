-- How many raw events a table has, and one number for them all, in any order (the id is over the kind).
SELECT
    count() AS rows,
    groupBitXor(cityHash64(id, pubkey, created_at, tags, content, sig)) AS checksum
FROM {table:Identifier}
FINAL
