-- Live videos whose texts hold every word, those with more of them in the title first.
WITH
    arrayMap(
        word -> caseFoldUTF8(normalizeUTF8NFC(word)),
        {words:Array(String)}
    ) AS folded_words,
    caseFoldUTF8(normalizeUTF8NFC(title)) AS folded_title
SELECT video_key
FROM video_stats FINAL
WHERE arrayAll(
    word -> position(
        concat(
            folded_title, '\n',
            caseFoldUTF8(normalizeUTF8NFC(content)), '\n',
            caseFoldUTF8(normalizeUTF8NFC(alt)), '\n',
            arrayStringConcat(hashtags, '\n')
        ),
        word
    ) > 0,
    folded_words
)
    AND live
    AND expiration > {now:UInt32}
    AND created_at <= {now:UInt32} + 900
ORDER BY
    arrayCount(word -> position(folded_title, word) > 0, folded_words) DESC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
