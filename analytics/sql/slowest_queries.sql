-- The queries that cost the server most in the last hour, by the endpoint that asked them.
SELECT
    JSONExtractString(log_comment, 'endpoint') AS endpoint,
    JSONExtractString(log_comment, 'query') AS query,
    count() AS times,
    avg(query_duration_ms) / 1000 AS mean_seconds,
    quantile(0.95)(query_duration_ms) / 1000 AS p95_seconds,
    sum(query_duration_ms) / 1000 AS total_seconds
FROM system.query_log
WHERE event_date >= toDate(toDateTime({now:UInt32} - 3600, 'UTC')) - 1
    AND event_time >= toDateTime({now:UInt32} - 3600, 'UTC')
    AND type = 'QueryFinish'
    AND is_initial_query
    AND JSONExtractString(log_comment, 'query') != ''
GROUP BY endpoint, query
ORDER BY total_seconds DESC, endpoint ASC, query ASC
LIMIT {row_limit:UInt16}
