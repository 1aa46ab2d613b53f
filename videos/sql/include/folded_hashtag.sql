-- The form in which hashtags that differ in case, white space around them or a # are one.
hashtag -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
    extract(hashtag, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
)))
