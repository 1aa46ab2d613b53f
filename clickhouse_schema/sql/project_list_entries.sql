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
-- Another projector may have put a version there meanwhile that was current for a moment.
LEFT JOIN (
    SELECT
        list,
        groupUniqArrayArray(entries) AS entries
    FROM list_versions
    INNER JOIN (
        SELECT
            list,
            created_at AS since
        FROM current_lists FINAL
        WHERE list IN (SELECT list FROM touched_lists WHERE pass = {pass:UInt64})
    ) AS recorded ON list_versions.list = recorded.list
    WHERE list_versions.list IN (SELECT list FROM touched_lists WHERE pass = {pass:UInt64})
        AND created_at >= since
    GROUP BY list
) AS meanwhile ON found.list = meanwhile.list
ARRAY JOIN arrayConcat(
    arrayMap(
        entry -> (entry, 0),
        if({afresh:UInt8}, found.entries, arrayExcept(found.entries, earlier.entries))
    ),
    arrayMap(
        entry -> (entry, 1),
        arrayExcept(
            arrayDistinct(arrayConcat(earlier.entries, meanwhile.entries)),
            found.entries
        )
    )
) AS change
