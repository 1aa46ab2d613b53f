-- For each pubkey that asked to vanish, the second up to which nothing of it is accepted.
SELECT
    pubkey,
    max(until) AS until
FROM vanish_barriers
GROUP BY pubkey
