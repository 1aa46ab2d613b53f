-- One view for all that people do with videos: each view of an INSERT costs about as much as its rows.

-- It gives the rows of the nine views of 0003 and 0016, by their rules. Until they are gone both fill the
-- table, and the same rows collapse.

-- In three steps, so that each value is worked out once: tags by name, what they mean, and the acts. Of what
-- an event is not about there is nothing. Planning takes a tenth of a millisecond for each function, so there
-- is no more of them than it needs.
CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_mv TO engagement AS
SELECT
    act.1 AS target,
    act.2 AS relation,
    id AS event_id,
    act.3 AS token,
    picture AS token_url,
    -- a zap receipt is signed by a payment server, its request by who pays
    if(kind = 9735, JSONExtractString(request, 'pubkey'), pubkey) AS actor,
    pubkey,
    kind,
    created_at,
    expiration,
    act.4 AS unless_known,
    if(kind = 9735, toUInt64(msat), 0) AS amount_msat
FROM (
    SELECT
        id,
        pubkey,
        kind,
        created_at,
        expiration,
        picture,
        request,
        intDiv(tenths, 10) AS msat,
        multiIf(
            -- NIP-25: the last e tag is the target, and tells which video it is. An address counts where
            -- that id is absent or stays unknown, and k does not name another kind. Text that is neither
            -- a vote nor an emoji is a reaction without a class.
            kind = 7, arrayMap(
                pair -> (
                    pair.1,
                    'reaction',
                    multiIf(
                        text IN ('+', '', '-') OR picture != '', text,
                        match(text, '^[0-9#*\\x{200d}\\x{e0020}-\\x{e007f}\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]{1,16}$')
                            AND match(text, '[\\x{a9}\\x{ae}\\x{203c}\\x{2049}\\x{20e3}\\x{2122}\\x{2139}\\x{2190}-\\x{2bff}\\x{3030}\\x{303d}\\x{3297}\\x{3299}\\x{1f000}-\\x{1fbff}]'), text,
                        'other'
                    ),
                    pair.2
                ),
                [
                    (last_id, ''),
                    (
                        if(
                            arrayFirst(tag -> tag[1] = 'k', tags)[2] IN ('', substring(address, 1, 5)),
                            address,
                            ''
                        ),
                        last_id
                    )
                ]
            ),
            -- NIP-22, and NIP-10 of older clients, by the root. And by the comment that is replied to,
            -- with the video as the comment names it: one on the video itself replies to nobody. NIP-18: a
            -- q tag names what is quoted, by id or by address.
            kind IN (1, 1111), arrayConcat(
                [
                    (commented, 'comment', '', ''),
                    (
                        if(commented = '' OR parent IN (commented, root_id), '', parent),
                        'reply',
                        commented,
                        ''
                    )
                ],
                arrayDistinct(arrayMap(
                    tag -> (tag[2], 'quote', '', ''),
                    arrayFilter(
                        tag -> tag[1] = 'q'
                            AND match(tag[2], '^([0-9a-f]{64}$|3423[56]:[0-9a-f]{64}:)'),
                        tags
                    )
                ))
            ),
            -- NIP-18. The clients of this field name an address alone, or an id. A repost that embeds a
            -- protected event (NIP-70) is none.
            kind IN (6, 16), if(
                arrayExists(
                    tag -> tag[1] = '-',
                    JSONExtract(if(embedded, content, ''), 'tags', 'Array(Array(String))')
                ),
                [],
                [(if(address != '', address, last_id), 'repost', '', '')]
            ),
            -- NIP-57: what cannot be paid, or differs from what was asked for, is no zap.
            kind = 9735, if(
                embedded
                    AND is_payable
                    -- 21 million bitcoin
                    AND msat <= 2100000000000000000
                    AND (
                        empty(asked)
                        OR (
                            msat > 0
                            AND match(asked[2], '^[0-9]+$')
                            AND toUInt64OrZero(asked[2]) = msat
                        )
                    ),
                [(if(address != '', address, last_id), 'zap', invoice, '')],
                []
            ),
            -- NIP-56: the type is the third item of the tag that names the target; some clients give it
            -- in a tag of its own.
            kind = 1984, arrayDistinct(arrayMap(
                tag -> (
                    tag[2],
                    'report',
                    arrayFirst(
                        type -> type IN (
                            'nudity', 'malware', 'profanity', 'illegal', 'spam', 'impersonation', 'other'
                        ),
                        [tag[3], arrayFirst(tag -> tag[1] = 'report', tags)[2], 'other']
                    ),
                    ''
                ),
                arrayConcat(references, addresses)
            )),
            -- NIP-32: labels are claims of others about the target, kept by namespace.
            arrayDistinct(arrayFlatten(arrayMap(
                target -> arrayMap(
                    tag -> (target[2], 'label', concat(if(tag[3] = '', 'ugc', tag[3]), '\0', tag[2]), ''),
                    arrayFilter(tag -> tag[1] = 'l' AND tag[2] != '', tags)
                ),
                arrayConcat(references, addresses)
            )))
        ) AS acts
    FROM (
        SELECT
            id,
            pubkey,
            kind,
            created_at,
            expiration,
            content,
            embedded,
            tags,
            references,
            addresses,
            root_id,
            text,
            invoice,
            request,
            references[-1][2] AS last_id,
            addresses[-1][2] AS address,
            -- NIP-30
            if(
                match(text, '^:[A-Za-z0-9_-]+:$'),
                arrayFirst(
                    tag -> tag[1] = 'emoji' AND concat(':', tag[2], ':') = text AND tag[3] != '',
                    tags
                )[3],
                ''
            ) AS picture,
            -- NIP-22: the root, in upper case, is what is commented; the first e tag is the parent. NIP-10:
            -- a marked root, else a marked reply, else the first unmarked e tag; the parent is the one that
            -- is marked so, else the last one. A mention is neither.
            if(
                kind = 1,
                arrayFirst(
                    id -> id != '',
                    [
                        arrayFirst(tag -> tag[4] = 'root', references)[2],
                        marked_reply,
                        arrayFirst(tag -> tag[4] NOT IN ('root', 'reply', 'mention'), references)[2]
                    ]
                ),
                if(root_address != '', root_address, root_id)
            ) AS commented,
            multiIf(
                kind = 1111, references[1][2],
                marked_reply != '', marked_reply,
                arrayLast(tag -> tag[4] != 'mention', references)[2]
            ) AS parent,
            -- The amount stands in the readable part of the invoice (BOLT 11), before its last 1, in
            -- bitcoin or m, u, n, p of it; a p is a tenth of a thousandth of a satoshi.
            extractGroups(
                invoice,
                '^ln(?:bcrt|bc|tbs|tb)(?:([0-9]+)([munp]?))?1[^1]*$'
            ) AS amount,
            replaceRegexpOne(amount[1], '^0+', '') AS digits,
            toUInt128OrZero(digits) * transform(
                amount[2],
                ['p', 'n', 'u', 'm'],
                [1, 1000, 1000000, 1000000000],
                1000000000000
            ) AS tenths,
            notEmpty(amount) AND length(digits) <= 20 AND tenths % 10 = 0 AS is_payable,
            arrayFirst(
                tag -> tag[1] = 'amount',
                JSONExtract(request, 'tags', 'Array(Array(String))')
            ) AS asked
        FROM (
            SELECT
                id,
                pubkey,
                kind,
                created_at,
                expiration,
                content,
                embedded,
                tags,
                arrayFilter(tag -> tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), tags) AS references,
                arrayFilter(
                    tag -> tag[1] = 'a' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
                    tags
                ) AS addresses,
                arrayFirst(tag -> tag[4] = 'reply', references)[2] AS marked_reply,
                arrayFirst(
                    tag -> tag[1] = 'A' AND match(tag[2], '^3423[56]:[0-9a-f]{64}:'),
                    tags
                )[2] AS root_address,
                arrayFirst(tag -> tag[1] = 'E' AND match(tag[2], '^[0-9a-f]{64}$'), tags)[2] AS root_id,
                -- The variation selector U+FE0F is presentation: a red heart with it and without it is one
                -- emoji.
                if(kind = 7, replaceAll(content, '\xEF\xB8\x8F', ''), '') AS text,
                lower(arrayFirst(tag -> tag[1] = 'bolt11', tags)[2]) AS invoice,
                -- ingestion has verified it
                if(
                    kind = 9735 AND embedded,
                    arrayFirst(tag -> tag[1] = 'description', tags)[2],
                    ''
                ) AS request
            FROM events_local
            WHERE kind IN (1, 6, 7, 16, 1111, 1984, 1985, 9735)
        )
    )
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
