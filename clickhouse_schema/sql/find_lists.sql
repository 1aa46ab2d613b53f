-- Finds the current entries of the touched lists.
INSERT INTO touched_lists (pass, list, pubkey, kind, created_at, entries)
WITH
    lists AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'list')
SELECT
    {pass:UInt64} AS pass,
    newest.list,
    newest.pubkey,
    newest.kind,
    newest.created_at,
    if(
        expiration <= {now:UInt32}
        OR (deleted.target != '' AND deleted.until >= newest.created_at)
        OR (id, newest.pubkey) IN (
            SELECT target, pubkey
            FROM deletions
            WHERE target IN (SELECT id FROM list_versions WHERE list IN lists)
                AND created_at <= {now:UInt32} + 900
        ),
        [],
        entries
    ) AS entries
FROM (
    SELECT
        list,
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        entries
    FROM list_versions
    WHERE list IN lists AND created_at <= {now:UInt32} + 900
    ORDER BY list ASC, created_at DESC, id ASC
    LIMIT 1 BY list
) AS newest
LEFT JOIN (
    SELECT
        target,
        max(created_at) AS until
    FROM deletions
    WHERE target IN lists AND created_at <= {now:UInt32} + 900
    GROUP BY target
) AS deleted ON newest.list = deleted.target
