-- Profiles that are there and have the text, which the query calls `folded_text` when it is folded.
AND live
AND expiration > {now:UInt32}
AND position(
    caseFoldUTF8(normalizeUTF8NFC(concat(name, '\n', display_name, '\n', nip05))),
    folded_text
) > 0
