-- Makes up a span of the numbered view events of a busy service, about the videos of generate_events.
INSERT INTO view_events_local (id, pubkey, created_at, tags, content, sig, inserted_at)
WITH
    -- the same as there: what is said of a number is a hash of it
    intDiv({events:UInt64} + 49, 50) AS videos,
    greatest(intDiv({events:UInt64}, 40), 50) AS people,
    greatest(intDiv(people, 5), 10) AS authors,
    {until:UInt32} - {seconds:UInt32} AS since,
    ((number, what) -> cityHash64({seed:UInt64}, number, what)) AS dice,
    ((number, what) -> least(dice(number, what) / 18446744073709551616., 0.999999999)) AS chance,
    ((many, fraction) -> toUInt64(20 * (pow(1 + many / 20, fraction) - 1))) AS zipf,
    (person -> lower(hex(SHA256(concat('person ', toString({seed:UInt64}), ' ', toString(person)))))) AS pubkey_of,
    (number -> lower(hex(SHA256(concat(
        'event ', toString({seed:UInt64}), ' ', toString({events:UInt64}), ' ', toString({until:UInt32}), ' ', toString(number)
    ))))) AS id_of,
    (video -> zipf(authors, chance(video, 'author'))) AS author_of,
    (video -> multiIf(
        dice(video, 'kind') % 100 < 85, 34236,
        dice(video, 'kind') % 100 < 88, 34235,
        dice(video, 'kind') % 100 < 96, 22,
        21
    )) AS kind_of,
    (video -> toUInt32(since + {seconds:UInt32} * ((video + chance(video, 'second')) / videos))) AS published_of,
    (video -> substring(lower(hex(dice(video, 'd'))), 1, 11)) AS d_of,
    (video -> concat(toString(kind_of(video)), ':', pubkey_of(author_of(video)), ':', d_of(video))) AS address_of,
    (zipf(videos, chance(number, 'viewed')) * 2654435761 + {seed:UInt64} % 1000003) % videos AS video
SELECT
    lower(hex(SHA256(concat('view ', id_of(number))))) AS id,
    pubkey_of(zipf(people, chance(number, 'viewer'))) AS pubkey,
    toUInt32(least(
        published_of(video) + pow(greatest({until:UInt32} - published_of(video), 2), chance(number, 'viewed at')),
        {until:UInt32}
    )) AS created_at,
    arrayConcat(
        [['e', id_of(50 * video)]],
        if(kind_of(video) > 30000, [['a', address_of(video)]], []),
        [['viewed', '0', '6'], ['loops', concat(toString(dice(number, 'loops') % 8), '.5')]]
    ) AS tags,
    '' AS content,
    concat(repeat('0', 32), lower(hex(SHA256(concat(id, ' sig')))), substring(id, 33)) AS sig,
    if({arrive:UInt8}, now64(3), toDateTime64(0, 3, 'UTC')) AS inserted_at
FROM numbers({first:UInt64}, {row_count:UInt64})
