-- Puts what was found for the touched lists in the place of what was there.
INSERT INTO current_lists (list, version, pubkey, kind, created_at, entries)
SELECT
    list,
    {pass:UInt64} AS version,
    pubkey,
    kind,
    created_at,
    entries
FROM touched_lists
WHERE pass = {pass:UInt64}
