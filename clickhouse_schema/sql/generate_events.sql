-- Makes up a span of the numbered events of a busy service: every 50th is a video, the others are what
-- people do. Whatever is said of a number is a hash of it, so any event can name any other.
INSERT INTO events_local (id, pubkey, created_at, kind, tags, content, sig, embedded, inserted_at)
WITH
    -- how many there are of everything
    intDiv({events:UInt64} + 49, 50) AS videos,
    greatest(intDiv({events:UInt64}, 40), 50) AS people,
    greatest(intDiv(people, 5), 10) AS authors,
    {until:UInt32} - {seconds:UInt32} AS since,
    -- chance: whole numbers, and fractions below 1
    ((number, what) -> cityHash64({seed:UInt64}, number, what)) AS dice,
    ((number, what) -> least(dice(number, what) / 18446744073709551616., 0.999999999)) AS chance,
    -- ranks of Zipf's law, flattened at its head: one of many takes about 1 in 200, ten take 4 in 100
    ((many, fraction) -> toUInt64(20 * (pow(1 + many / 20, fraction) - 1))) AS zipf,
    (person -> lower(hex(SHA256(concat('person ', toString({seed:UInt64}), ' ', toString(person)))))) AS pubkey_of,
    (number -> lower(hex(SHA256(concat(
        'event ', toString({seed:UInt64}), ' ', toString({events:UInt64}), ' ', toString({until:UInt32}), ' ', toString(number)
    ))))) AS id_of,
    -- videos, by their number: the event with 50 times that number
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
    -- which video is popular has nothing to do with its number
    (number -> (zipf(videos, chance(number, 'video')) * 2654435761 + {seed:UInt64} % 1000003) % videos) AS video_of,
    -- who does something; an author does too
    (number -> if(
        number % 50 = 0,
        author_of(intDiv(number, 50)),
        zipf(people, chance(number, 'person'))
    )) AS signer_of,
    ['a', 'be', 'chi', 'do', 'e', 'fu', 'ga', 'hei', 'i', 'jo', 'ka', 'la', 'mi', 'no', 'o', 'pa', 'qui', 'ro', 'sa', 'ti',
    'u', 'va', 'wi', 'xe', 'yo', 'za', 'bra', 'cle', 'dri', 'flo', 'gru', 'kni', 'lun', 'mar', 'ner', 'pol', 'ras', 'sten',
    'tur', 'vok'] AS syllables,
    (word -> concat(syllables[1 + word % 40], syllables[1 + intDiv(word, 40) % 40])) AS word_of,
    ((number, what, words) -> arrayStringConcat(
        arrayMap(place -> word_of(zipf(1600, chance(number, concat(what, toString(place))))), range(words)), ' '
    )) AS text_of,
    ['animals', 'art', 'cars', 'cats', 'comedy', 'cooking', 'dance', 'diy', 'dogs', 'family', 'fashion', 'fitness', 'food',
    'gaming', 'magic', 'memes', 'movies', 'music', 'nature', 'news', 'pets', 'science', 'sports', 'street', 'travel']
        AS subjects,
    (tag -> if(tag < 25, subjects[1 + tag], concat(word_of(tag), if(tag < 1600, '', word_of(tag * 7))))) AS hashtag_of,
    -- what the number is
    dice(number, 'what') % 1000 AS what,
    video_of(number) AS video,
    -- one in 200 is a new version of a video that has an address
    number % 50 = 0 OR (what >= 995 AND kind_of(video) > 30000) AS is_video,
    if(number % 50 = 0, intDiv(number, 50), video) AS shown,
    dice(number, 'deleted') % greatest(number, 1) AS deleted,
    if(is_video, published_of(shown), published_of(video)) AS earliest,
    -- most is done soon after a video has come
    toUInt32(if(
        number % 50 = 0,
        earliest,
        earliest + pow(greatest({until:UInt32} - earliest, 2), chance(number, 'second'))
    )) AS at,
    if(
        kind_of(video) > 30000,
        [['e', id_of(50 * video)], ['a', address_of(video)]],
        [['e', id_of(50 * video)]]
    ) AS pointers,
    [['k', toString(kind_of(video))], ['p', pubkey_of(author_of(video))]] AS about,
    concat('https://media.example/', lower(hex(SHA256(concat('file ', id_of(50 * shown)))))) AS address_of_file
SELECT
    id_of(number) AS id,
    multiIf(
        is_video, pubkey_of(author_of(shown)),
        kind = 5, pubkey_of(signer_of(deleted)),
        kind = 9735, pubkey_of(10000000 + dice(number, 'signer') % 10),
        pubkey_of(signer_of(number))
    ) AS pubkey,
    least(at, {until:UInt32}) AS created_at,
    multiIf(
        is_video, kind_of(shown),
        what < 630, 7,
        what < 735, 1111,
        what < 750, 1,
        what < 795, 16,
        what < 815, 9735,
        what < 840, 0,
        what < 860, 3,
        what < 965, 1,
        what < 975, 5,
        what < 985, 10003,
        what < 989, 1984,
        what < 992, 1985,
        1
    ) AS kind,
    multiIf(
        is_video, arrayConcat(
            if(kind > 30000, [['d', d_of(shown)]], []),
            [
                ['title', text_of(shown, 'title', 2 + dice(shown, 'title') % 5)],
                ['published_at', toString(published_of(shown))],
                [
                    'imeta', concat('url ', address_of_file, '.mp4'), 'm video/mp4', 'dim 480x480',
                    concat('image ', address_of_file, '.jpg'), 'blurhash LKO2?U%2Tw=w]~RBVZRi};RPxuwH',
                    concat('x ', lower(hex(SHA256(concat('file ', id_of(50 * shown)))))),
                    concat('duration ', toString(1 + dice(shown, 'duration') % 60))
                ],
                ['alt', text_of(shown, 'alt', 4)]
            ],
            arrayMap(
                place -> ['t', hashtag_of(zipf(4000, chance(shown, concat('tag', toString(place)))))],
                range(dice(shown, 'tags') % 5)
            ),
            -- one in five was imported
            if(
                dice(shown, 'platform') % 5 = 0,
                [['platform', 'vine'], ['loops', toString(zipf(100000000, chance(shown, 'loops')))]],
                []
            ),
            if(dice(shown, 'warning') % 33 = 0, [['content-warning', 'nudity']], []),
            if(dice(shown, 'together') % 50 = 0, [['p', pubkey_of(author_of(shown + 1)), '', 'collaborator']], [])
        ),
        kind = 7, arrayConcat(pointers, about),
        kind = 1111, arrayConcat(
            arrayMap(pointer -> [upper(pointer[1]), pointer[2]], pointers),
            [['K', toString(kind_of(video))], ['P', pubkey_of(author_of(video))]],
            pointers,
            about
        ),
        kind = 1 AND what < 750, [['e', id_of(50 * video), '', 'root'], ['p', pubkey_of(author_of(video))]],
        kind = 16, arrayConcat(pointers, about),
        kind = 9735, arrayConcat(
            pointers,
            [
                ['p', pubkey_of(author_of(video))],
                ['P', pubkey_of(signer_of(number))],
                ['bolt11', concat('lnbc', toString(1 + dice(number, 'amount') % 50), 'u1p', replaceAll(lower(hex(SHA256(id))), '1', 'q'))],
                [
                    'description',
                    concat(
                        '{"kind":9734,"pubkey":"', pubkey_of(signer_of(number)), '","content":"","created_at":',
                        toString(at), ',"tags":[["p","', pubkey_of(author_of(video)), '"]]}'
                    )
                ]
            ]
        ),
        kind = 3, arrayMap(
            place -> ['p', pubkey_of(zipf(authors, chance(number, concat('follow', toString(place)))))],
            range(toUInt64(least(4 / (1 - chance(number, 'follows')), 300)))
        ),
        kind = 5, [['e', id_of(deleted)]],
        kind = 10003, arrayMap(
            place -> ['e', id_of(50 * video_of(number + 1000000007 * place))],
            range(1 + dice(number, 'bookmarks') % 30)
        ),
        kind = 1984, [['e', id_of(50 * video), 'spam'], ['p', pubkey_of(author_of(video))]],
        kind = 1985, [['L', 'ugc'], ['l', word_of(dice(number, 'label') % 100), 'ugc'], ['e', id_of(50 * video)]],
        what >= 992, [['q', id_of(50 * video)]],
        kind = 0, [],
        if(what % 3 = 0, [['t', hashtag_of(zipf(4000, chance(number, 'tag')))]], [])
    ) AS tags,
    multiIf(
        is_video, text_of(shown, 'content', dice(shown, 'content') % 20),
        kind = 7, multiIf(
            dice(number, 'vote') % 100 < 78, '+',
            dice(number, 'vote') % 100 < 88, '❤️',
            dice(number, 'vote') % 100 < 96, '🔥',
            '-'
        ),
        kind = 0, concat(
            '{"name":"', text_of(signer_of(number), 'name', 1), toString(signer_of(number) % 1000),
            '","display_name":"', text_of(signer_of(number), 'name', 2),
            '","about":"', text_of(signer_of(number), 'about', 8),
            '","picture":"https://media.example/', pubkey, '.jpg","nip05":"',
            word_of(signer_of(number)), '@people.example"}'
        ),
        kind IN (1, 1111), text_of(number, 'content', 3 + dice(number, 'content') % 15),
        ''
    ) AS content,
    -- 16 zero bytes, with which no real one begins, then noise: it takes the room of a real one
    concat(repeat('0', 32), lower(hex(SHA256(concat(id, ' sig')))), substring(id, 33)) AS sig,
    kind = 9735 AS embedded,
    if({arrive:UInt8}, now64(3), toDateTime64(0, 3, 'UTC')) AS inserted_at
FROM numbers({first:UInt64}, {row_count:UInt64})
