-- Finds what people do with the touched videos, as far as it is due and has not expired.
INSERT INTO touched_acts (
    pass, video_key, relation, event_id, token, token_url, actor, pubkey, created_at, unless_known,
    amount_msat
)
SELECT
    {pass:UInt64} AS pass,
    touched_targets.video_key AS video_key,
    relation,
    event_id,
    token,
    token_url,
    actor,
    pubkey,
    created_at,
    unless_known,
    amount_msat
FROM engagement
INNER JOIN (
    SELECT DISTINCT
        target,
        video_key
    FROM touched_targets
    WHERE pass = {pass:UInt64}
) AS touched_targets ON engagement.target = touched_targets.target
PREWHERE engagement.target IN (SELECT target FROM touched_targets WHERE pass = {pass:UInt64})
WHERE created_at <= {now:UInt32} + 900
    AND expiration > {now:UInt32}
