-- Live comments on a video, replies included. Protected ones (NIP-70) are not ours to give.
WITH
    targets AS (
        -- include targets
    ),
    found AS (
        SELECT event_id
        FROM engagement
        WHERE target IN targets
            AND relation = 'comment'
            -- include live_acts
    ),
    -- NIP-22: the first e tag is the parent. NIP-10: the one that is marked so, else the last one.
    if(
        kind = 1,
        arrayFirst(
            reference -> reference != '',
            [
                arrayFirst(tag -> tag[1] = 'e' AND tag[4] = 'reply', tags)[2],
                arrayLast(tag -> tag[1] = 'e' AND tag[4] != 'mention', tags)[2]
            ]
        ),
        arrayFirst(tag -> tag[1] = 'e', tags)[2]
    ) AS parent,
    parent != '' AND parent NOT IN targets AS is_reply
SELECT
    id,
    pubkey,
    created_at,
    kind,
    content,
    sig,
    tags,
    if(authors.display_name != '', authors.display_name, authors.name) AS author_name,
    authors.picture AS author_avatar,
    if(is_reply, parent, NULL) AS reply_to_event_id,
    nullIf(if(is_reply, arrayFirst(tag -> tag[1] = 'p', tags)[2], ''), '') AS reply_to_pubkey
FROM (
    SELECT
        id,
        pubkey,
        created_at,
        kind,
        content,
        sig,
        tags
    FROM events_local
    WHERE id IN found AND NOT arrayExists(tag -> tag[1] = '-', tags)
    LIMIT 1 BY id
) AS comments
LEFT JOIN (
    SELECT
        pubkey AS author,
        name,
        display_name,
        picture
    FROM user_profiles FINAL
    WHERE pubkey IN (SELECT pubkey FROM events_local WHERE id IN found)
        AND user_profiles.live
        AND user_profiles.expiration > {now:UInt32}
) AS authors ON comments.pubkey = authors.author
WHERE {after_id:String} = ''
    OR (if({newest_first:UInt8}, -toInt64(created_at), toInt64(created_at)), id) > (
        if({newest_first:UInt8}, -1, 1) * toInt64({after_created_at:UInt32}),
        {after_id:String}
    )
ORDER BY
    if({newest_first:UInt8}, -toInt64(created_at), toInt64(created_at)) ASC,
    id ASC
LIMIT {row_limit:UInt16}
OFFSET {row_offset:UInt32}
