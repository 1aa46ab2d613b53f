-- Takes every request to vanish into the pass: its barrier may have to be raised again.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM vanish_requests
