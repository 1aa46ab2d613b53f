-- Those acts on `targets` that are due, have not expired and are not deleted by who signed them.
AND created_at <= {now:UInt32} + 900
AND expiration > {now:UInt32}
AND (event_id, pubkey) NOT IN (
    SELECT
        target,
        pubkey
    FROM deletions
    WHERE target IN (SELECT event_id FROM engagement WHERE target IN targets)
        AND created_at <= {now:UInt32} + 900
)
