-- Finds the videos whose searched texts the touched events may change: by a version, or by the author's
-- name. What is said about a video changes none.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'text' AS what,
    video_key AS key
FROM video_aliases
WHERE id IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'text' AS what,
    video_key AS key
FROM video_stats
WHERE pubkey IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'profile')
