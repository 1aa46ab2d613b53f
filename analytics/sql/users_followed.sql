-- What there is about the first people whom a pubkey follows, in the order of its list.
-- part users (pubkeys = followed_pubkeys)
WITH
    (
        SELECT arraySlice(groupArrayArray(entries), 1, {row_limit:UInt16})
        FROM current_lists FINAL
        WHERE list = concat('3:', {pubkey:String}, ':')
    ) AS followed_pubkeys
SELECT users.*
FROM users
