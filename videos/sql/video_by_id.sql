-- The row of the live video of which this is the id of a version.
-- part video_rows (keys = video_keys, authors = video_authors)
WITH
    (
        SELECT (groupArray(video_key), groupArray(pubkey))
        FROM video_aliases
        WHERE id = {id:String} AND created_at <= {now:UInt32} + 900
    ) AS aliased,
    -- '' is nobody's key: of no key at all everything would be read
    arrayPushBack(aliased.1, '') AS video_keys,
    arrayPushBack(aliased.2, '') AS video_authors
SELECT video_rows.*
FROM video_rows
