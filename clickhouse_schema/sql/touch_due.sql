-- Takes the events that expire or fall due into the pass.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    'event' AS what,
    id AS key
FROM due
WHERE at > {after:UInt32} AND at <= {now:UInt32}
