-- Writes what a search looks into for the touched videos, where it differs from what is there.
INSERT INTO video_texts (video_key, version, pubkey, created_at, written)
WITH
    keys AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'text')
SELECT
    found.video_key,
    {pass:UInt64} AS version,
    found.pubkey,
    found.created_at,
    concat(
        -- the first line is the title
        replaceRegexpAll(title, '\\s', ' '), '\n',
        replaceRegexpAll(
            arrayStringConcat([content, alt, arrayStringConcat(hashtags, ' ')], '\n'),
            -- NIP-19: nobody types these
            '(?i)(nostr:)?(npub|nprofile|note|nevent|naddr|nsec)1[02-9ac-hj-np-z]{20,}',
            ' '
        ), '\n',
        authors.name, '\n',
        authors.display_name
    ) AS written
FROM (
    SELECT
        video_key,
        pubkey,
        created_at,
        title,
        content,
        alt,
        hashtags
    FROM video_stats FINAL
    WHERE video_key IN keys
) AS found
LEFT JOIN (
    SELECT
        pubkey,
        name,
        display_name
    FROM user_profiles FINAL
    WHERE pubkey IN (SELECT pubkey FROM video_stats WHERE video_key IN keys)
        AND live
        AND expiration > {now:UInt32}
) AS authors ON found.pubkey = authors.pubkey
LEFT JOIN (
    SELECT
        video_key,
        fingerprint
    FROM video_texts FINAL
    WHERE video_key IN keys
) AS earlier ON found.video_key = earlier.video_key
WHERE {unchanged_too:UInt8} OR earlier.video_key = '' OR earlier.fingerprint != sipHash64(found.created_at, written)
