-- The rows stay as they are, by the rules of 0002. ClickHouse plans the view for each INSERT, whether it has
-- videos or not, and that takes as long as there are functions in it.

-- Tags and what describes a medium are maps: a value is found by one function. Of several under one name the
-- first is found, and what is not there is empty.
ALTER TABLE video_versions_mv MODIFY QUERY
SELECT
    if(kind IN (34235, 34236), concat(toString(kind), ':', pubkey, ':', named['d']), id) AS video_key,
    id,
    pubkey,
    kind,
    if(kind IN (34235, 34236), named['d'], '') AS d_tag,
    created_at,
    expiration,
    if(
        match(named['published_at'], '^[0-9]+$'),
        toUInt32(least(ifNull(toUInt64OrNull(named['published_at']), 4294967295), 4294967295)),
        0
    ) AS published_tag,
    named['title'] AS title,
    firstNonDefault(content, named['summary']) AS content,
    if(match(url, '^https?://'), url, '') AS video_url,
    arrayDistinct(arrayFilter(
        (fallback, name) -> name = 'fallback' AND match(fallback, '^https?://'),
        mapValues(main),
        mapKeys(main)
    )) AS fallback_urls,
    arrayFirst(
        picture -> match(picture, '^https?://'),
        arrayConcat(
            [main['image']],
            arrayMap(medium -> medium['image'], media),
            arrayFlatten(arrayMap(
                wanted -> arrayFilter((value, name) -> name = wanted, values, names),
                ['thumb', 'image', 'thumbnail']
            ))
        )
    ) AS thumbnail,
    arrayFirst(
        text -> match(text, '^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$'),
        [main['dim'], named['dim']]
    ) AS dimensions,
    firstNonDefault(main['blurhash'], named['blurhash']) AS blurhash,
    arrayFirst(hash -> match(hash, '^[0-9a-f]{64}$'), [lower(main['x']), lower(named['x'])]) AS sha256,
    -- nothing lasts no time, and nothing here lasts longer than a day
    arrayFirst(
        seconds -> seconds > 0 AND seconds <= 86400,
        arrayMap(
            text -> toFloat64OrZero(if(match(text, '^[0-9]+([.][0-9]+)?$'), text, '0')),
            [main['duration'], named['duration']]
        )
    ) AS duration,
    firstNonDefault(named['alt'], main['alt']) AS alt,
    language,
    arrayDistinct(arrayFilter(
        hashtag -> hashtag != '',
        arrayMap(
            value -> normalizeUTF8NFC(caseFoldUTF8(normalizeUTF8NFC(
                extract(value, '(?s)^[ \\t\\n\\r\\f\\v]*#?[ \\t\\n\\r\\f\\v]*(.*?)[ \\t\\n\\r\\f\\v]*$')
            ))),
            arrayFilter((value, name) -> name = 't', values, names)
        )
    )) AS hashtags,
    has(names, 'content-warning') OR notEmpty(warning_label) AS sensitive,
    firstNonDefault(named['content-warning'], warning_label[2]) AS content_warning,
    lower(firstNonDefault(named['platform'], named['origin'])) AS platform,
    toUInt64OrNull(extract(named['loops'], '^0*([0-9]{1,15})$')) AS embedded_loops,
    toUInt64OrZero(extract(named['likes'], '^0*([0-9]{1,15})$')) AS embedded_likes,
    toUInt64OrZero(extract(named['comments'], '^0*([0-9]{1,15})$')) AS embedded_comments,
    toUInt64OrZero(extract(named['reposts'], '^0*([0-9]{1,15})$')) AS embedded_reposts,
    tags
FROM (
    SELECT
        *,
        mapFromArrays(names, values) AS named,
        -- the first that a player can show as video: not the audio track, not a picture
        arrayFirst(
            medium -> match(lower(medium['m']), '^($|video/|application/x-mpegurl$)'),
            media
        ) AS main,
        if(notEmpty(main), main['url'], named['url']) AS url
    FROM (
        SELECT
            id,
            pubkey,
            kind,
            created_at,
            expiration,
            content,
            tags,
            arrayMap(tag -> tag[1], tags) AS names,
            arrayMap(tag -> tag[2], tags) AS values,
            arrayFirst(tag -> tag[1] = 'l' AND tag[3] = 'ISO-639-1', tags)[2] AS language,
            arrayFirst(tag -> tag[1] = 'l' AND tag[3] = 'content-warning', tags) AS warning_label,
            -- NIP-92 has two encodings in the wild: items "key value", and keys and values in turn.
            -- Without a web address a tag describes nothing.
            arrayFilter(
                medium -> match(medium['url'], '^https?://'),
                arrayMap(
                    tag -> CAST(
                        if(
                            position(tag[2], ' ') > 0,
                            arrayMap(
                                item -> (
                                    splitByChar(' ', item)[1],
                                    trimBoth(substring(item, position(item, ' ') + 1))
                                ),
                                arrayFilter(item -> position(item, ' ') > 0, arraySlice(tag, 2))
                            ),
                            arrayMap(
                                place -> (tag[2 * place], trimBoth(tag[2 * place + 1])),
                                range(1, intDiv(length(tag) - 1, 2) + 1)
                            )
                        ),
                        'Map(String, String)'
                    ),
                    arrayFilter(tag -> tag[1] = 'imeta', tags)
                )
            ) AS media
        FROM events_local
        WHERE kind IN (21, 22, 34235, 34236)
    )
);
