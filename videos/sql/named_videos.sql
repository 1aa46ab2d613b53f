-- The rows of the live videos that these references name, each with the references that name it.
-- part find_videos
-- part video_rows (keys = named_keys, authors = named_authors)
WITH
    -- scalars, so that the rows are read by keys that are known when the reading is planned
    (SELECT groupArray((reference, video_key, pubkey)) FROM find_videos) AS named,
    -- '' is nobody's key: of no key at all everything would be read
    arrayPushBack(arrayDistinct(named.2), '') AS named_keys,
    arrayPushBack(arrayDistinct(named.3), '') AS named_authors
SELECT
    arrayMap(name -> name.1, arrayFilter(name -> name.2 = video_rows.video_key, named)) AS names,
    video_rows.*
FROM video_rows
