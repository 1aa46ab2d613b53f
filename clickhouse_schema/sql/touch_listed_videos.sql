-- Finds the videos that touched lists name now or named before (NIP-51).
INSERT INTO touched (pass, what, key)
WITH
    lists AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'list'),
    entries AS (
        SELECT arrayJoin(entries) AS entry
        FROM list_versions
        WHERE list IN lists AND kind != 3
        UNION ALL
        SELECT arrayJoin(entries) AS entry
        FROM current_lists
        WHERE list IN lists AND kind != 3
    )
SELECT
    {pass:UInt64} AS pass,
    'video' AS what,
    key
FROM (
    SELECT entry AS key
    FROM entries
    WHERE match(entry, '^3423[56]:')
    UNION ALL
    SELECT video_key AS key
    FROM video_aliases
    WHERE id IN entries
)
