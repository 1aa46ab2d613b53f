-- Live videos whose texts hold every word, those with more of them in the title first.
WITH
    arrayMap(
        word -> caseFoldUTF8(normalizeUTF8NFC(word)),
        {words:Array(String)}
    ) AS folded_words,
    caseFoldUTF8(normalizeUTF8NFC(title)) AS folded_title
SELECT video_key
FROM videos(now = {now:UInt32})
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
ORDER BY
    arrayCount(word -> position(folded_title, word) > 0, folded_words) DESC,
    engagement_score DESC,
    published_at DESC,
    id ASC
LIMIT {row_limit:UInt16}
