-- An event that is stored, of somebody who has not asked to vanish.
SELECT
    id,
    pubkey,
    created_at,
    kind,
    tags,
    content,
    sig,
    embedded
FROM events_local
WHERE pubkey NOT IN (SELECT pubkey FROM vanish_barriers)
LIMIT 1
