-- One signed event that is due, not deleted and not expired. Protected events (NIP-70) are not ours to
-- give, messages between people are nobody else's.
SELECT
    id,
    pubkey,
    created_at,
    kind,
    tags,
    content,
    sig
FROM events_local
WHERE id = {id:String}
    AND created_at <= {now:UInt32} + 900
    AND expiration > {now:UInt32}
    AND kind NOT IN (4, 13, 14, 15, 1059)
    AND NOT arrayExists(tag -> tag[1] = '-', tags)
    AND (
        -- nothing deletes a deletion or a request to vanish
        kind IN (5, 62)
        OR (
            (id, pubkey) NOT IN (
                SELECT
                    target,
                    pubkey
                FROM deletions
                WHERE target = {id:String} AND created_at <= {now:UInt32} + 900
            )
            AND created_at > (
                SELECT ifNull(maxOrNull(toInt64(created_at)), -1)
                FROM deletions
                WHERE target IN (
                    SELECT concat(
                        toString(kind), ':', pubkey, ':',
                        if(kind >= 30000, arrayFirst(tag -> tag[1] = 'd', tags)[2], '')
                    )
                    FROM events_local
                    WHERE id = {id:String}
                )
                    AND created_at <= {now:UInt32} + 900
            )
        )
    )
LIMIT 1
-- One thread: a granule or two.
SETTINGS max_threads = 1
