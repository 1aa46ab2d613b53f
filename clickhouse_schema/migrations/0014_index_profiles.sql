-- What a search for people looks into, indexed by the engine.

-- Names, NIP-05 address and description without case, and marks that are NUL, which nobody types: each
-- character once more after two of them and each pair of characters after one. So whatever part of it
-- somebody types, one character or many, is with its marks no shorter than the three characters that the
-- index is made of. Three NULs are in all of them, for a search that rules nobody out.
ALTER TABLE user_profiles
    ADD COLUMN IF NOT EXISTS searched String MATERIALIZED arrayMap(
        folded -> concat(
            '\0\0\0', folded, '\0\0',
            arrayStringConcat(arrayDistinct(ngrams(folded, 1)), '\0\0'), '\0',
            arrayStringConcat(arrayDistinct(ngrams(folded, 2)), '\0')
        ),
        [caseFoldUTF8(normalizeUTF8NFC(arrayStringConcat([name, display_name, nip05, about], '\n')))]
    )[1] CODEC(ZSTD(3)),
    ADD INDEX IF NOT EXISTS searched_index searched TYPE text(tokenizer = ngrams(3));

-- The profiles that were there before.
ALTER TABLE user_profiles
    MATERIALIZE COLUMN searched,
    MATERIALIZE INDEX searched_index
SETTINGS mutations_sync = 2;
