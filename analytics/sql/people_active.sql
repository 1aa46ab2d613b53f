-- How many people signed anything in the last day, week and 30 days (decision D9: seals, gift wraps and
-- zap receipts are not signed by people).
SELECT
    uniqExactIf(pubkey, created_at > {now:UInt32} - 86400) AS day,
    uniqExactIf(pubkey, created_at > {now:UInt32} - 7 * 86400) AS week,
    uniqExact(pubkey) AS month
FROM events_by_kind
WHERE kind NOT IN (13, 1059, 9735)
    AND created_at > {now:UInt32} - 30 * 86400
    AND created_at <= {now:UInt32} + 900
