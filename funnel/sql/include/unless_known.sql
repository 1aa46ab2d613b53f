-- NIP-25: where the id that a reaction to `targets` names turns out to be known, the id decides alone.
AND unless_known NOT IN (
    SELECT id
    FROM events_local
    WHERE id IN (
        SELECT unless_known
        FROM engagement
        WHERE target IN targets AND unless_known != ''
    )
        AND created_at <= {now:UInt32} + 900
)
