-- One page of those whom a pubkey follows, in the order of its list, and how many they are in all. With
-- a text only those who have it in name, display name or NIP-05 address.
WITH
    caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text,
    followed AS (
        SELECT
            followed_pubkey,
            place
        FROM current_lists FINAL
        ARRAY JOIN
            entries AS followed_pubkey,
            arrayEnumerate(entries) AS place
        WHERE list = concat('3:', {pubkey:String}, ':')
    ),
    wanted AS (
        SELECT
            followed_pubkey,
            place
        FROM followed
        WHERE {text:String} = '' OR followed_pubkey IN (
            SELECT pubkey
            FROM user_profiles FINAL
            WHERE {text:String} != ''
                AND pubkey IN (SELECT followed_pubkey FROM followed)
                -- include profile_has_text
        )
    )
SELECT
    arrayMap(each -> each.2, arraySort(groupArray((place, followed_pubkey)))) AS pubkeys,
    (SELECT count() FROM wanted) AS total
FROM (
    SELECT
        followed_pubkey,
        place
    FROM wanted
    ORDER BY place ASC
    LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
)
