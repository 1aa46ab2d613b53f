-- How many people signed anything in each of the latest days, weeks or months, newest first (decision
-- D9: seals, gift wraps and zap receipts are not signed by people). A span without anybody is a zero.
WITH
    toDate(toDateTime({now:UInt32}, 'UTC')) AS today,
    arrayMap(
        back -> multiIf(
            {span:String} = 'day', subtractDays(today, back),
            {span:String} = 'week', subtractWeeks(toMonday(today), back),
            subtractMonths(toStartOfMonth(today), back)
        ),
        range({row_limit:UInt16})
    ) AS starts
SELECT
    toUnixTimestamp(toDateTime(spans.start, 'UTC')) AS start,
    active.active_users AS active_users
FROM (SELECT arrayJoin(starts) AS start) AS spans
LEFT JOIN (
    SELECT
        multiIf(
            {span:String} = 'day', toDate(toDateTime(created_at, 'UTC')),
            {span:String} = 'week', toMonday(toDateTime(created_at, 'UTC')),
            toStartOfMonth(toDateTime(created_at, 'UTC'))
        ) AS start,
        uniqExact(pubkey) AS active_users
    FROM events_by_kind
    WHERE kind NOT IN (13, 1059, 9735)
        AND created_at >= toUnixTimestamp(toDateTime(arrayMin(starts), 'UTC'))
        AND created_at <= {now:UInt32} + 900
    GROUP BY start
) AS active ON spans.start = active.start
ORDER BY start DESC
