-- Lists the targets that stand for each touched video: its address, and the ids of its versions, with what
-- each of them says of it.
INSERT INTO touched_targets (pass, target, video_key, pubkey, created_at, details)
SELECT DISTINCT
    {pass:UInt64} AS pass,
    target,
    video_key,
    pubkey,
    if(target = id, created_at, 0) AS created_at,
    if(target = id, details, '') AS details
FROM video_versions
ARRAY JOIN [id, video_key] AS target
PREWHERE video_key IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64}
        AND what = 'video'
        AND key NOT IN (SELECT video_key FROM touched_targets WHERE pass = {pass:UInt64})
)
-- qualified: it is the column that is meant, not what an address has of it
WHERE video_versions.created_at <= {now:UInt32} + 900
