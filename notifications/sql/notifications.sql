-- What others did that concerns one person, the newest first, and how much of it is unread: reactions,
-- comments, reposts and zaps that the person's live videos got, replies to the person's comments, follows.
-- One row for each of a page; where the page is empty, one without an event for the sake of the count.
WITH
    own AS (
        SELECT video_key
        FROM listed_videos FINAL
        WHERE list = concat('by:', {pubkey:String})
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
    ),
    -- all that may stand for each of them; a value, which is found once, however often it is named
    (
        SELECT arraySort(groupUniqArray((target, video_key)))
        FROM (
            SELECT
                video_key AS target,
                video_key
            FROM own
            UNION ALL
            SELECT
                id AS target,
                video_key
            FROM video_versions
            WHERE video_key IN (SELECT video_key FROM own) AND created_at <= {now:UInt32} + 900
        )
    ) AS named,
    targets AS (SELECT arrayJoin(named.1) AS target),
    -- each comment, a reaction and a repost for each person, a zap for each invoice: as in the counts of
    -- the video row, at the first time that it happened
    acts AS (
        SELECT
            transform(target, named.1, named.2, '') AS video_key,
            relation,
            argMinIf(
                (created_at, event_id, kind, actor),
                (created_at, event_id),
                relation != 'reaction' OR token != '-'
            ) AS first
        FROM engagement
        WHERE target IN targets
            AND relation IN ('reaction', 'comment', 'repost', 'zap')
            AND actor != {pubkey:String}
            -- include live_acts
            -- include unless_known
        GROUP BY
            video_key,
            relation,
            multiIf(
                relation = 'comment', event_id,
                relation = 'zap', concat(token, ' ', toString(amount_msat)),
                actor
            )
        -- decision D2: the latest vote decides, at the same second the lowest id
        HAVING relation != 'reaction'
            OR argMinIf(token, (-toInt64(created_at), event_id), token IN ('+', '', '-')) != '-'
    ),
    -- the latest of them, so that whoever wrote ten thousand notes does not read them all each time
    (
        SELECT groupArray(id)
        FROM (
            SELECT id
            FROM events_by_author
            WHERE pubkey = {pubkey:String}
                AND kind IN (1, 1111)
                AND created_at <= {now:UInt32} + 900
            ORDER BY
                created_at DESC,
                id ASC
            LIMIT 1000 BY kind
        )
    ) AS own_comments,
    answers AS (
        SELECT
            target AS parent,
            token AS root,
            event_id,
            actor,
            pubkey,
            kind,
            created_at,
            expiration
        FROM engagement
        WHERE target IN (SELECT arrayJoin(own_comments)) AND relation = 'reply'
    ),
    -- those that are live, to comments that are, on videos that are
    replies AS (
        SELECT
            event_id,
            actor,
            kind,
            created_at,
            parent,
            if(match(root, '^3423[56]:'), root, aliases.video_key) AS shown_key
        FROM answers
        LEFT JOIN (
            SELECT DISTINCT
                id,
                video_key
            FROM video_aliases
            WHERE id IN (SELECT root FROM answers) AND created_at <= {now:UInt32} + 900
        ) AS aliases ON answers.root = aliases.id
        WHERE actor != {pubkey:String}
            AND created_at <= {now:UInt32} + 900
            AND expiration > {now:UInt32}
            AND parent IN (
                SELECT id
                FROM events_local
                WHERE id IN (SELECT parent FROM answers) AND expiration > {now:UInt32}
            )
            AND (event_id, pubkey) NOT IN (
                SELECT
                    target,
                    pubkey
                FROM deletions
                WHERE target IN (SELECT event_id FROM answers) AND created_at <= {now:UInt32} + 900
            )
            AND parent NOT IN (
                SELECT target
                FROM deletions
                WHERE target IN (SELECT parent FROM answers)
                    AND pubkey = {pubkey:String}
                    AND created_at <= {now:UInt32} + 900
            )
            AND shown_key IN (
                SELECT video_key
                FROM video_stats FINAL
                WHERE video_key IN (
                    SELECT root
                    FROM answers
                    UNION DISTINCT
                    SELECT video_key
                    FROM video_aliases
                    WHERE id IN (SELECT root FROM answers)
                )
                    AND live
                    AND expiration > {now:UInt32}
                    AND created_at <= {now:UInt32} + 900
            )
    ),
    -- whose list was signed last: nobody can have followed later than that
    (
        SELECT groupArray(list)
        FROM (
            SELECT list
            FROM current_lists FINAL
            WHERE list IN (
                SELECT concat('3:', pubkey, ':')
                FROM list_entries FINAL
                WHERE entry = {pubkey:String} AND kind = 3 AND pubkey != {pubkey:String}
            )
            ORDER BY
                created_at DESC,
                list ASC
            LIMIT 500
        )
    ) AS follow_lists,
    -- since the earliest of the versions that have named the person without a break
    follows AS (
        SELECT
            follower AS actor,
            arraySort(
                version -> (-toInt64(version.1), version.2),
                groupUniqArray((created_at, id, names_person))
            ) AS versions,
            arrayFirstIndex(version -> NOT version.3, versions) AS broken,
            if(broken = 0, versions, arraySlice(versions, 1, broken - 1)) AS held
        FROM (
            SELECT
                list,
                pubkey AS follower,
                created_at,
                id,
                has(entries, {pubkey:String}) AS names_person
            FROM list_versions
            WHERE list IN (SELECT arrayJoin(follow_lists))
                AND created_at <= {now:UInt32} + 900
                AND expiration > {now:UInt32}
                AND (id, pubkey) NOT IN (
                    SELECT
                        target,
                        pubkey
                    FROM deletions
                    WHERE target IN (
                        SELECT id
                        FROM list_versions
                        WHERE list IN (SELECT arrayJoin(follow_lists))
                    )
                        AND created_at <= {now:UInt32} + 900
                )
        ) AS kept
        LEFT JOIN (
            SELECT
                target,
                max(created_at) AS until
            FROM deletions
            WHERE target IN (SELECT arrayJoin(follow_lists)) AND created_at <= {now:UInt32} + 900
            GROUP BY target
        ) AS deleted ON kept.list = deleted.target
        WHERE deleted.target = '' OR created_at > deleted.until
        GROUP BY actor
        HAVING notEmpty(held)
    ),
    happened AS (
        -- a reply to a comment of the person on a video of the person is both, and told once
        SELECT
            event_id,
            if(max(type = 'reply'), 'reply', any(type)) AS type,
            any(actor) AS actor,
            any(kind) AS kind,
            any(created_at) AS created_at,
            any(video_key) AS video_key,
            max(parent) AS parent
        FROM (
            SELECT
                first.2 AS event_id,
                toString(relation) AS type,
                first.4 AS actor,
                first.3 AS kind,
                first.1 AS created_at,
                video_key,
                '' AS parent
            FROM acts
            UNION ALL
            SELECT
                event_id,
                'reply' AS type,
                actor,
                kind,
                created_at,
                shown_key AS video_key,
                parent
            FROM replies
            UNION ALL
            SELECT
                held[-1].2 AS event_id,
                'follow' AS type,
                actor,
                3 AS kind,
                held[-1].1 AS created_at,
                '' AS video_key,
                '' AS parent
            FROM follows
        )
        -- of reactions that are dislikes nothing is left
        WHERE event_id != ''
        GROUP BY event_id
    )
SELECT
    unread_count,
    row.2 AS event_id,
    row.3 AS type,
    row.4 AS actor,
    row.5 AS kind,
    row.6 AS created_at,
    row.7 AS video_key,
    row.8 AS parent,
    row.9 AS unread
FROM (
    SELECT
        countIf(unread) AS unread_count,
        arraySlice(
            groupArraySortedIf(501)(
                (
                    -toInt64(created_at), event_id, type, actor, kind, created_at, video_key, parent,
                    unread
                ),
                (empty({types:Array(String)}) OR type IN {types:Array(String)})
                AND (unread OR NOT {unread_only:UInt8})
                AND (empty({among:Array(String)}) OR event_id IN {among:Array(String)})
                AND (-toInt64(created_at), event_id) > (
                    -toInt64({after_created_at:UInt32}), {after_id:String}
                )
            ),
            1,
            {row_limit:UInt16}
        ) AS rows
    FROM (
        SELECT
            event_id,
            type,
            actor,
            kind,
            created_at,
            video_key,
            parent,
            created_at > {read_until:UInt32}
            AND event_id NOT IN {read_ids:Array(String)} AS unread
        FROM happened
    )
)
LEFT ARRAY JOIN rows AS row
ORDER BY
    row.1 ASC,
    row.2 ASC
