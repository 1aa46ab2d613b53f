-- The first videos that somebody's current list names, in its order, and the event that the list is of.
-- No row where there is no such list, or nothing in it.
WITH
    concat(toString({kind:UInt16}), ':', {pubkey:String}, ':', {d_tag:String}) AS wanted
SELECT
    arraySlice(found.entries, 1, {row_limit:UInt16}) AS entries,
    versions.id AS event_id
FROM (
    SELECT
        created_at,
        entries
    FROM current_lists FINAL
    WHERE list = wanted AND notEmpty(entries)
) AS found
-- the one that is projected, which a newer one may be about to replace
INNER JOIN (
    SELECT
        id,
        created_at
    FROM list_versions
    WHERE list = wanted AND created_at <= {now:UInt32} + 900
) AS versions ON found.created_at = versions.created_at
-- NIP-01: of two at the same second the lowest id is meant
ORDER BY event_id ASC
LIMIT 1
