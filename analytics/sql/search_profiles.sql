-- People whose profile holds a text: first whose NIP-05 address it is, then whose name it is, begins
-- with it or holds it, then the rest; of equals those with more followers first.
WITH
    caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text,
    -- What the index knows of its beginning, marked as in user_profiles; the rest is compared anyway.
    (
        SELECT if(
            lengthUTF8(folded_text) > 2,
            arrayDistinct(ngrams(substringUTF8(folded_text, 1, 64), 3)),
            [concat(repeat('\0', 3 - lengthUTF8(folded_text)), folded_text)]
        )
    ) AS pieces,
    found AS (
        SELECT
            pubkey,
            id AS event_id,
            created_at,
            name,
            display_name,
            nip05,
            about,
            picture,
            banner,
            lud16,
            website,
            arrayMap(
                label -> caseFoldUTF8(normalizeUTF8NFC(label)), [name, display_name]
            ) AS names,
            caseFoldUTF8(normalizeUTF8NFC(nip05)) AS folded_nip05,
            multiIf(
                -- NIP-05: _@domain is shown as domain
                folded_text != '' AND folded_nip05 IN (folded_text, concat('_@', folded_text)), 0,
                has(names, folded_text), 1,
                arrayExists(label -> startsWith(label, folded_text), names), 2,
                arrayExists(label -> position(label, folded_text) > 0, names), 3,
                position(folded_nip05, folded_text) > 0, 4,
                position(caseFoldUTF8(normalizeUTF8NFC(about)), folded_text) > 0, 5,
                6
            ) AS place
        FROM user_profiles FINAL
        WHERE hasAllTokens(searched, pieces)
            AND live
            AND expiration > {now:UInt32}
            AND place < 6
    ),
    own AS (
        SELECT
            pubkey,
            count() AS video_count
        FROM listed_videos FINAL
        WHERE list IN (SELECT concat('by:', pubkey) FROM found)
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
        GROUP BY pubkey
    )
SELECT
    found.pubkey AS pubkey,
    name,
    display_name,
    nip05,
    about,
    picture,
    banner,
    followers.follower_count AS follower_count,
    own.video_count AS video_count,
    lud16,
    website,
    created_at,
    event_id
FROM found
LEFT JOIN (
    SELECT
        entry,
        count() AS follower_count
    FROM list_entries FINAL
    WHERE entry IN (SELECT pubkey FROM found) AND kind = 3
    GROUP BY entry
) AS followers ON found.pubkey = followers.entry
LEFT JOIN own ON found.pubkey = own.pubkey
WHERE own.video_count >= {videos_at_least:UInt32}
ORDER BY
    place = 0 DESC,
    if({by_followers:UInt8}, 0, place) ASC,
    follower_count DESC,
    video_count DESC,
    found.pubkey ASC
LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
