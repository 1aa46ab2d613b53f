-- One view for all that people do with videos: each view of an INSERT costs about as much as its rows.

-- It gives the rows of the nine views of 0003 and 0016, by their rules. Until they are gone both fill the
-- table, and the same rows collapse.
CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_mv TO engagement AS
SELECT
    act.1 AS target,
    act.2 AS relation,
    id AS event_id,
    act.3 AS token,
    act.4 AS token_url,
    act.5 AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    act.6 AS unless_known,
    act.7 AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        arrayFilter(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags) AS references,
        references[-1][2] AS last_id,
        arrayFilter(tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'), tags) AS addresses,
        addresses[-1][2] AS address,
        -- NIP-25. The last e tag is the target, and tells which video it is. An address counts where that
        -- id is absent or stays unknown, and k does not name another kind. Text that is neither a vote nor
        -- an emoji is a reaction without a class. The variation selector U+FE0F is presentation: a red
        -- heart with it and without it is one emoji.
        replaceAll(content, '\xEF\xB8\x8F', '') AS text,
        if(
            match(text, '^:[A-Za-z0-9_-]+:$'),
            arrayFirst(
                tag -> tag[1] = 'emoji' AND concat(':', tag[2], ':') = text AND tag[3] != '',
                tags
            )[3],
            ''
        ) AS picture,
        multiIf(
            text IN ('+', '', '-') OR picture != '', text,
            match(text, '^[0-9#*\\x{200d}\\x{e0020}-\\x{e007f}\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]{1,16}$')
                AND match(text, '[\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]'), text,
            'other'
        ) AS voice,
        arrayFirst(tag -> tag[1] = 'k', tags)[2] AS target_kind,
        -- NIP-18. The clients of this field name an address alone, or an id. A repost that embeds a
        -- protected event (NIP-70) is none.
        if(embedded, JSONExtract(content, 'tags', 'Array(Array(String))'), []) AS embedded_tags,
        -- NIP-22: the root, in upper case, is what is commented. Replies to comments have the same root.
        arrayFirst(tag -> tag[1] = 'E' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS named_id,
        arrayFirst(tag -> tag[1] = 'A' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'), tags)[2] AS named,
        -- NIP-10: older clients comment with kind 1. A marked root, else a marked reply, else the first
        -- unmarked e tag. A mention is no comment.
        arrayFirst(tag -> tag[4] = 'root', references)[2] AS root_id,
        arrayFirst(tag -> tag[4] = 'reply', references)[2] AS reply_id,
        arrayFirst(tag -> tag[4] NOT IN ('root', 'reply', 'mention'), references)[2] AS first_id,
        multiIf(
            kind = 1, arrayFirst(reference -> reference != '', [root_id, reply_id, first_id]),
            named != '', named,
            named_id
        ) AS root,
        -- What a comment replies to. NIP-22: the first e tag is the parent. NIP-10: the one that is marked
        -- so, else the last one. A comment on the root itself replies to nobody. No count asks for this.
        multiIf(
            kind = 1111, references[1][2],
            reply_id != '', reply_id,
            arrayLast(tag -> tag[4] != 'mention', references)[2]
        ) AS parent,
        -- NIP-18: a q tag names what is quoted, by id or by address.
        arrayDistinct(arrayMap(
            tag -> tag[2],
            arrayFilter(
                tag -> tag[1] = 'q' AND match(tag[2], '^([0-9a-f]{64}$|3423[56]:[0-9a-f]{64}:)'),
                tags
            )
        )) AS quotes,
        -- NIP-57: a receipt counts with its zap request, which ingestion has verified. The amount stands in
        -- the readable part of the invoice (BOLT 11), before its last 1, in bitcoin or m, u, n, p of it.
        -- What cannot be paid, or differs from what was asked for, is no zap.
        lower(arrayFirst(tag -> tag[1] = 'bolt11', tags)[2]) AS invoice,
        arrayFirst(tag -> tag[1] = 'description', tags)[2] AS request,
        extract(invoice, '^(ln[a-z0-9]*)1[^1]*$') AS readable,
        extractGroups(readable, '^ln(?:bcrt|bc|tbs|tb)0*([0-9]*)([munp]?)$') AS amount,
        toUInt128OrZero(amount[1]) AS digits,
        multiIf(
            amount[2] = 'm', digits * 100000000,
            amount[2] = 'u', digits * 100000,
            amount[2] = 'n', digits * 100,
            amount[2] = 'p', intDiv(digits, 10),
            digits * 100000000000
        ) AS msat,
        arrayMap(
            tag -> tag[2],
            arrayFilter(
                tag -> tag[1] = 'amount',
                JSONExtract(request, 'tags', 'Array(Array(String))')
            )
        ) AS asked,
        match(readable, '^ln(?:bcrt|bc|tbs|tb)(?:[0-9]+[munp]?)?$')
            AND length(amount[1]) <= 20
            AND (amount[2] != 'p' OR digits % 10 = 0)
            -- 21 million bitcoin
            AND msat <= 2100000000000000000
            AND (
                empty(asked)
                OR (msat > 0 AND match(asked[1], '^[0-9]+$') AND toUInt64OrZero(asked[1]) = msat)
            ) AS is_paid,
        -- NIP-56: the type is the third item of the tag that names the target; some clients give it in a
        -- tag of its own. NIP-32: labels are claims of others about the target, kept by namespace.
        arrayFilter(
            tag -> (tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'))
                OR (tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:')),
            tags
        ) AS targets,
        arrayFirst(tag -> tag[1] = 'report', tags)[2] AS report,
        arrayDistinct(arrayMap(
            tag -> (
                tag[2],
                arrayFirst(
                    type -> type IN (
                        'nudity', 'malware', 'profanity', 'illegal', 'spam', 'impersonation', 'other'
                    ),
                    [tag[3], report, 'other']
                )
            ),
            targets
        )) AS reports,
        arrayDistinct(arrayMap(
            tag -> concat(if(tag[3] = '', 'ugc', tag[3]), '\0', tag[2]),
            arrayFilter(tag -> tag[1] = 'l' AND tag[2] != '', tags)
        )) AS labels,
        -- target, relation, token, token_url, actor, unless_known, amount_msat
        multiIf(
            kind = 7, [
                (last_id, 'reaction', voice, picture, pubkey, '', toUInt64(0)),
                (
                    if(target_kind IN ('', substring(address, 1, 5)), address, ''),
                    'reaction', voice, picture, pubkey, last_id, toUInt64(0)
                )
            ],
            kind IN (6, 16), [(
                if(
                    arrayExists(tag -> tag[1] = '-', embedded_tags),
                    '',
                    if(address != '', address, last_id)
                ),
                'repost', '', '', pubkey, '', toUInt64(0)
            )],
            kind IN (1, 1111), arrayConcat(
                [
                    (root, 'comment', '', '', pubkey, '', toUInt64(0)),
                    (
                        if(root = '' OR parent IN (root, named_id), '', parent),
                        'reply', root, '', pubkey, '', toUInt64(0)
                    )
                ],
                arrayMap(quoted -> (quoted, 'quote', '', '', pubkey, '', toUInt64(0)), quotes)
            ),
            kind = 9735, [(
                if(is_paid, if(address != '', address, last_id), ''),
                'zap', invoice, '', JSONExtractString(request, 'pubkey'), '', toUInt64(msat)
            )],
            kind = 1984, arrayMap(
                reported -> (reported.1, 'report', reported.2, '', pubkey, '', toUInt64(0)),
                reports
            ),
            arrayFlatten(arrayMap(
                labelled -> arrayMap(
                    label -> (labelled, 'label', label, '', pubkey, '', toUInt64(0)),
                    labels
                ),
                arrayDistinct(arrayMap(tag -> tag[2], targets))
            ))
        ) AS acts
    FROM events_local
    WHERE kind IN (1, 6, 7, 16, 1111, 1984, 1985) OR (kind = 9735 AND embedded)
)
ARRAY JOIN arrayFilter(act -> act.1 != '', acts) AS act;

DROP VIEW IF EXISTS reactions_mv;

DROP VIEW IF EXISTS reposts_mv;

DROP VIEW IF EXISTS comments_mv;

DROP VIEW IF EXISTS notes_mv;

DROP VIEW IF EXISTS quotes_mv;

DROP VIEW IF EXISTS zaps_mv;

DROP VIEW IF EXISTS reports_mv;

DROP VIEW IF EXISTS labels_mv;

DROP VIEW IF EXISTS replies_mv;
