-- Takes what the read model holds of the erased pubkeys into the pass: it is computed anew.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    arrayJoin(['video', 'text']) AS what,
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
    arrayJoin(['profile', 'person']) AS what,
    arrayJoin({pubkeys:Array(String)}) AS key
UNION ALL
-- what stays of them may have no history any more
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM events_by_author
WHERE pubkey IN {pubkeys:Array(String)} AND kind IN (1, 6, 7, 16, 1111)
