-- How many events that were ever accepted are dated within a span; copies may count twice.
SELECT
    (
        SELECT count()
        FROM events_by_kind
        WHERE created_at BETWEEN {since:UInt32} AND {until:UInt32}
            AND (empty({kinds:Array(UInt16)}) OR kind IN {kinds:Array(UInt16)})
    ) + (
        SELECT count()
        FROM view_events_local
        WHERE created_at BETWEEN {since:UInt32} AND {until:UInt32}
            AND (empty({kinds:Array(UInt16)}) OR has({kinds:Array(UInt16)}, 22236))
    ) AS events
