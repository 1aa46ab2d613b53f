-- Takes all that is about to be erased into the pass, so that what it had touched is computed again.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    arrayJoin(['event', 'erased']) AS what,
    id AS key
FROM (
    SELECT id
    FROM events_by_author
    WHERE pubkey IN {pubkeys:Array(String)}
        AND kind != 62
        AND arrayExists(
            (erased, until) -> pubkey = erased AND created_at <= until,
            {pubkeys:Array(String)},
            {untils:Array(UInt32)}
        )
    UNION ALL
    SELECT id
    FROM view_events_local
    WHERE arrayExists(
        (erased, until) -> pubkey = erased AND created_at <= until,
        {pubkeys:Array(String)},
        {untils:Array(UInt32)}
    )
    UNION ALL
    -- gift wraps are signed by throw-away keys: the p tag says for whom they are
    SELECT id
    FROM events_local
    WHERE id IN (SELECT id FROM events_by_kind WHERE kind = 1059)
        AND arrayExists(
            (erased, until) -> created_at <= until
                AND arrayExists(tag -> tag[1] = 'p' AND tag[2] = erased, tags),
            {pubkeys:Array(String)},
            {untils:Array(UInt32)}
        )
)
