-- Finds the videos whose searched texts change with their author's name.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'text' AS what,
    video_key AS key
FROM video_stats
WHERE pubkey IN (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'profile')
