-- The read model: answers computed again for what was touched, never incremented.

-- Work space of one pass of the projector: the events that it looks at, and what they touch.
CREATE TABLE IF NOT EXISTS touched
(
    -- microseconds since 1970, greater for each later pass, also the version of the rows it writes
    pass UInt64,
    -- event, video, list, profile
    what LowCardinality(String),
    key String
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, what, key)
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1;

-- For each touched video the targets that stand for it: its address and the ids of its versions.
CREATE TABLE IF NOT EXISTS touched_targets
(
    pass UInt64,
    target String,
    video_key String
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, target, video_key)
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1;

-- For each touched list what its entries are now, before that takes the place of what they were.
CREATE TABLE IF NOT EXISTS touched_lists
(
    pass UInt64,
    list String,
    pubkey String,
    kind UInt16,
    created_at UInt32,
    entries Array(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(pass, 3600000000)
ORDER BY (pass, list)
TTL toDateTime(intDiv(pass, 1000000)) + INTERVAL 6 HOUR
SETTINGS ttl_only_drop_parts = 1;

-- How far the projector is. A row is written when a pass is complete.
CREATE TABLE IF NOT EXISTS projection_state
(
    name LowCardinality(String),
    -- the pass that was completed
    version UInt64,
    -- all that arrived up to here is in the read model for good
    settled_until DateTime64(3, 'UTC'),
    -- all that expired or fell due up to here is in the read model
    due_until UInt32
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name;

-- The barriers whose pubkeys have been erased from every table.
CREATE TABLE IF NOT EXISTS erasures
(
    pubkey String,
    until UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (pubkey, until);

-- The entries of each list's current version, none when it is deleted or has expired.
CREATE TABLE IF NOT EXISTS current_lists
(
    list String CODEC(ZSTD(1)),
    version UInt64,
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    created_at UInt32,
    entries Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY list
SETTINGS index_granularity = 64;

-- The same by entry: who follows whom, who has bookmarked what. gone = 1 when an entry was taken out.
CREATE TABLE IF NOT EXISTS list_entries
(
    entry String CODEC(ZSTD(1)),
    list String CODEC(ZSTD(1)),
    version UInt64,
    gone UInt8,
    pubkey String CODEC(ZSTD(1)),
    kind UInt16
)
ENGINE = ReplacingMergeTree(version, gone)
ORDER BY (entry, list)
SETTINGS index_granularity = 256;

-- The current profile of each pubkey.
CREATE TABLE IF NOT EXISTS user_profiles
(
    pubkey String CODEC(ZSTD(1)),
    version UInt64,
    live Bool,
    id String CODEC(ZSTD(1)),
    created_at UInt32,
    expiration UInt32,
    name String,
    display_name String,
    picture String,
    banner String,
    about String CODEC(ZSTD(3)),
    nip05 String,
    lud16 String,
    website String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY pubkey
SETTINGS index_granularity = 128;

-- The current version of each video with its counts. live = 0: the newest version is deleted, so the
-- address is empty (decision D1). Whether it has expired is asked of expiration when it is read.
CREATE TABLE IF NOT EXISTS video_stats
(
    video_key String CODEC(ZSTD(1)),
    version UInt64,
    live Bool,
    id String CODEC(ZSTD(1)),
    pubkey String CODEC(ZSTD(1)),
    kind UInt16,
    d_tag String,
    created_at UInt32,
    -- decision D7: an edit does not move it
    published_at UInt32,
    expiration UInt32,
    title String,
    content String CODEC(ZSTD(3)),
    video_url String,
    fallback_urls Array(String),
    thumbnail String,
    dimensions String,
    blurhash String,
    sha256 String,
    duration Float64,
    alt String,
    language String,
    hashtags Array(String),
    sensitive Bool,
    content_warning String,
    platform LowCardinality(String),
    embedded_loops Nullable(UInt64),
    embedded_likes UInt64,
    embedded_comments UInt64,
    embedded_reposts UInt64,
    tags Array(Array(String)) CODEC(ZSTD(3)),
    reactions UInt64,
    likes UInt64,
    dislikes UInt64,
    -- emoji, people: a shortcode with several pictures counts each of its people once
    emojis Array(Tuple(emoji String, people UInt64)),
    -- emoji, picture of a custom emoji, people
    emoji_images Array(Tuple(emoji String, url String, people UInt64)),
    comments UInt64,
    reposts UInt64,
    quotes UInt64,
    bookmarks UInt64,
    zaps UInt64,
    zap_msat UInt64,
    zaps_unverified UInt64,
    zap_msat_unverified UInt64,
    views UInt64,
    unique_viewers UInt64,
    -- playthroughs, with fractions
    loops Float64,
    -- type, people
    reports Array(Tuple(type String, people UInt64)),
    -- namespace, label, people
    labels Array(Tuple(namespace String, label String, people UInt64)),
    -- decision D6
    engagement_score Int64 MATERIALIZED
        toInt64(reactions) - toInt64(dislikes) + 2 * toInt64(comments) + 3 * toInt64(reposts),
    -- d tags and authors are asked for without their address
    INDEX d_tag_index d_tag TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX pubkey_index pubkey TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY video_key
SETTINGS index_granularity = 64;
