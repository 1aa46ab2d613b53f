-- What replies to a comment, by the comment: a person is told of replies, however many comments there are.

-- comments_mv and notes_mv file a comment by its root, this one by its parent. NIP-22: the first e tag is
-- the parent. NIP-10: the one that is marked so, else the last one. A comment on the root itself replies to
-- nobody. No count asks for this relation.
CREATE MATERIALIZED VIEW IF NOT EXISTS replies_mv TO engagement AS
SELECT
    parent AS target,
    'reply' AS relation,
    id AS event_id,
    -- the video, as the comment names it
    root AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayFilter(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags) AS references,
        arrayFirst(tag -> tag[1] = 'E' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS named_id,
        arrayFirst(tag -> tag[1] = 'A' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'), tags)[2] AS named,
        arrayFirst(tag -> tag[4] = 'root', references)[2] AS root_id,
        arrayFirst(tag -> tag[4] = 'reply', references)[2] AS reply_id,
        arrayFirst(tag -> tag[4] NOT IN ('root', 'reply', 'mention'), references)[2] AS first_id,
        arrayLast(tag -> tag[4] != 'mention', references)[2] AS last_id,
        if(
            kind = 1,
            arrayFirst(reference -> reference != '', [root_id, reply_id, first_id]),
            if(named != '', named, named_id)
        ) AS root,
        if(kind = 1, if(reply_id != '', reply_id, last_id), references[1][2]) AS parent
    FROM events_local
    WHERE kind IN (1, 1111)
)
WHERE root != '' AND parent NOT IN ('', root, named_id);

-- What was there before the view; a row that it has taken meanwhile collapses with its copy.
INSERT INTO engagement (
    target, relation, event_id, token, token_url, actor, pubkey, kind, created_at, expiration,
    unless_known, amount_msat
)
SELECT
    parent AS target,
    'reply' AS relation,
    id AS event_id,
    -- the video, as the comment names it
    root AS token,
    '' AS token_url,
    pubkey AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    '' AS unless_known,
    0 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayFilter(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags) AS references,
        arrayFirst(tag -> tag[1] = 'E' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS named_id,
        arrayFirst(tag -> tag[1] = 'A' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'), tags)[2] AS named,
        arrayFirst(tag -> tag[4] = 'root', references)[2] AS root_id,
        arrayFirst(tag -> tag[4] = 'reply', references)[2] AS reply_id,
        arrayFirst(tag -> tag[4] NOT IN ('root', 'reply', 'mention'), references)[2] AS first_id,
        arrayLast(tag -> tag[4] != 'mention', references)[2] AS last_id,
        if(
            kind = 1,
            arrayFirst(reference -> reference != '', [root_id, reply_id, first_id]),
            if(named != '', named, named_id)
        ) AS root,
        if(kind = 1, if(reply_id != '', reply_id, last_id), references[1][2]) AS parent
    FROM events_local
    WHERE kind IN (1, 1111)
)
WHERE root != '' AND parent NOT IN ('', root, named_id);
