-- One page of those whose follow list holds a pubkey, by pubkey, and how many they are in all. With a
-- text only those who have it in name, display name or NIP-05 address.
WITH
    caseFoldUTF8(normalizeUTF8NFC({text:String})) AS folded_text,
    followers AS (
        SELECT pubkey
        FROM list_entries FINAL
        WHERE entry = {pubkey:String} AND kind = 3
    ),
    wanted AS (
        SELECT pubkey
        FROM followers
        WHERE {text:String} = '' OR pubkey IN (
            SELECT pubkey
            FROM user_profiles FINAL
            WHERE {text:String} != ''
                AND pubkey IN (SELECT pubkey FROM followers)
                -- include profile_has_text
        )
    )
SELECT
    arraySort(groupArray(pubkey)) AS pubkeys,
    (SELECT count() FROM wanted) AS total
FROM (
    SELECT pubkey
    FROM wanted
    ORDER BY pubkey ASC
    LIMIT {row_limit:UInt16} OFFSET {row_offset:UInt32}
)
