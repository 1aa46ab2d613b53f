-- The row of the live video of which this is the id of a version.
-- part video_rows (keys = video_keys)
WITH
    -- '' is nobody's key: of no key at all everything would be read
    (
        SELECT groupArray(video_key)
        FROM video_aliases
        WHERE id = {id:String} AND created_at <= {now:UInt32} + 900
    ) AS aliased_keys,
    arrayPushBack(aliased_keys, '') AS video_keys
SELECT video_rows.*
FROM video_rows
