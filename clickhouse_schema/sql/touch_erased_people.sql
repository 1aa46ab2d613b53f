-- Takes what the read model holds of the erased pubkeys into the pass: it is computed anew.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'video' AS what,
    video_key AS key
FROM video_stats
WHERE pubkey IN {pubkeys:Array(String)}
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'list' AS what,
    list AS key
FROM current_lists
WHERE pubkey IN {pubkeys:Array(String)}
UNION ALL
SELECT
    {pass:UInt64} AS pass,
    'profile' AS what,
    arrayJoin({pubkeys:Array(String)}) AS key
