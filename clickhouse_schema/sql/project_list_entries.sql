-- Adds and takes out the entries in which a touched list differs from what it was.
INSERT INTO list_entries (entry, list, version, gone, pubkey, kind)
SELECT
    change.1 AS entry,
    found.list,
    {pass:UInt64} AS version,
    change.2 AS gone,
    found.pubkey,
    found.kind
FROM (
    SELECT
        list,
        pubkey,
        kind,
        entries
    FROM touched_lists
    WHERE pass = {pass:UInt64}
) AS found
LEFT JOIN (
    SELECT
        list,
        entries
    FROM current_lists FINAL
    WHERE list IN (SELECT list FROM touched_lists WHERE pass = {pass:UInt64})
) AS earlier ON found.list = earlier.list
ARRAY JOIN arrayConcat(
    arrayMap(entry -> (entry, 0), arrayExcept(found.entries, earlier.entries)),
    arrayMap(entry -> (entry, 1), arrayExcept(earlier.entries, found.entries))
) AS change
