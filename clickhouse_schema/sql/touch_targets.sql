-- Lists the targets that stand for each touched video: its address, and the ids of its versions.
INSERT INTO touched_targets (pass, target, video_key)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    target,
    video_key
FROM video_versions
ARRAY JOIN [id, video_key] AS target
PREWHERE video_key IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64}
        AND what = 'video'
        AND key NOT IN (SELECT video_key FROM touched_targets WHERE pass = {pass:UInt64})
)
WHERE created_at <= {now:UInt32} + 900
