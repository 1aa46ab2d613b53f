-- Date and id of all events that were ever accepted within a span, superseded and deleted ones too.
SELECT
    id,
    any(created_at) AS at
FROM
(
    SELECT
        id,
        created_at
    FROM events_by_kind
    WHERE created_at BETWEEN {since:UInt32} AND {until:UInt32}
        AND (empty({kinds:Array(UInt16)}) OR kind IN {kinds:Array(UInt16)})
    UNION ALL
    SELECT
        id,
        created_at
    FROM view_events_local
    WHERE created_at BETWEEN {since:UInt32} AND {until:UInt32}
        AND (empty({kinds:Array(UInt16)}) OR has({kinds:Array(UInt16)}, 22236))
)
GROUP BY id
