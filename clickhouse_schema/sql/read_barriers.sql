-- Who has vanished up to which second, the latest of each person.
SELECT
    pubkey,
    max(until) AS erased_until
FROM vanish_barriers
GROUP BY pubkey
ORDER BY pubkey
