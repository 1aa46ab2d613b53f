-- Finds the lists whose current version the touched events may change.
INSERT INTO touched (pass, what, key)
WITH
    events AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'event')
SELECT
    {pass:UInt64} AS pass,
    'list' AS what,
    if(
        kind = 5,
        named,
        concat(
            toString(kind), ':', pubkey, ':',
            if(kind IN (30003, 30005), arrayFirst(tag -> tag[1] = 'd', tags)[2], '')
        )
    ) AS key
FROM events_local
ARRAY JOIN if(
    kind = 5,
    arrayMap(tag -> tag[2], arrayFilter(tag -> tag[1] = 'a', tags)),
    ['']
) AS named
WHERE id IN events
    AND kind IN (3, 5, 10003, 30003, 30005)
    AND (kind != 5 OR match(named, '^(3|10003|30003|30005):'))
