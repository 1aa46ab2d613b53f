-- What acts on a video name it by: its key, and the id of each of its versions.
SELECT {video_key:String} AS target
UNION ALL
SELECT id AS target
FROM video_versions
WHERE video_key = {video_key:String} AND created_at <= {now:UInt32} + 900
