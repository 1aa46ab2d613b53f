-- What a search looks into: the words of each video and the name of its author, indexed by the engine.

-- `texts` is `written` without case, accents and invisible characters, and with marks that are capitals:
-- a word stands between BB and E, and a character that is no part of a word between S and S, or one S
-- for two of them: punctuation, an emoji, and each letter of a script that puts no spaces between words.
-- So whatever follows BB or S begins a word, and is with its marks no shorter than the three characters
-- that the index is made of.
CREATE TABLE IF NOT EXISTS video_texts
(
    video_key String CODEC(ZSTD(1)),
    version UInt64,
    pubkey String CODEC(ZSTD(1)),
    -- of the version that is looked into
    created_at UInt32,
    -- the title, a line break, and everything else
    written String EPHEMERAL,
    -- tells whether a row would be the same again
    fingerprint UInt64 DEFAULT sipHash64(created_at, written),
    texts String DEFAULT replaceAll(
        replaceRegexpAll(
            replaceRegexpAll(
                normalizeUTF8NFKC(replaceRegexpAll(
                    normalizeUTF8NFD(caseFoldUTF8(normalizeUTF8NFKC(
                        replaceRegexpAll(written, '[\\x{2018}\\x{2019}\\x{2bc}\\x{b4}`]', '\'')
                    ))),
                    '[\\x{300}-\\x{36f}\\x{fe00}-\\x{fe0f}\\p{Cf}]',
                    ''
                )),
                '((?:[^\\P{L}\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\P{N}\\p{Han}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\P{M}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}])+)',
                'BB\\1E'
            ),
            '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc}\\p{Bopomofo}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]|[^\\s\\p{Z}\\p{L}\\p{N}\\p{M}])',
            'S\\1S'
        ),
        'SS',
        'S'
    ) CODEC(ZSTD(1)),
    INDEX texts_index texts TYPE text(tokenizer = ngrams(3))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY video_key
SETTINGS index_granularity = 256;

-- The videos that were there before; the projector has written nothing yet that this could hide.
INSERT INTO video_texts (video_key, version, pubkey, created_at, written)
SELECT
    video_key,
    0 AS version,
    found.pubkey,
    found.created_at,
    concat(
        replaceRegexpAll(title, '\\s', ' '), '\n',
        replaceRegexpAll(
            arrayStringConcat([content, alt, arrayStringConcat(hashtags, ' ')], '\n'),
            '(?i)(nostr:)?(npub|nprofile|note|nevent|naddr|nsec)1[02-9ac-hj-np-z]{20,}',
            ' '
        ), '\n',
        authors.name, '\n',
        authors.display_name
    ) AS written
FROM video_stats AS found FINAL
LEFT JOIN (
    SELECT
        pubkey,
        name,
        display_name
    FROM user_profiles FINAL
    WHERE live
) AS authors ON found.pubkey = authors.pubkey;
