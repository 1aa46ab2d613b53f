-- What is shown of each notification of a page: the text, who it is from, and the video that it is about.
SELECT
    asked.event_id AS event_id,
    events.content AS content,
    people.known AS has_profile,
    people.name AS name,
    people.display_name AS display_name,
    people.picture AS picture,
    people.nip05 AS nip05,
    videos.id AS video_id,
    videos.pubkey AS video_pubkey,
    videos.kind AS video_kind,
    videos.d_tag AS d_tag,
    if(videos.kind IN (34235, 34236), asked.video_key, '') AS address,
    videos.title AS title,
    videos.thumbnail AS thumbnail,
    videos.blurhash AS blurhash
FROM (
    SELECT
        named.1 AS event_id,
        named.2 AS actor,
        named.3 AS video_key
    FROM (
        SELECT arrayJoin(arrayZip(
            {event_ids:Array(String)}, {actors:Array(String)}, {video_keys:Array(String)}
        )) AS named
    )
) AS asked
LEFT JOIN (
    SELECT
        id,
        content
    FROM events_local
    -- what a repost or a receipt holds is no text, and a protected event (NIP-70) not ours to give
    WHERE id IN {event_ids:Array(String)}
        AND kind IN (1, 7, 1111)
        AND NOT arrayExists(tag -> tag[1] = '-', tags)
    LIMIT 1 BY id
) AS events ON asked.event_id = events.id
LEFT JOIN (
    SELECT
        pubkey,
        true AS known,
        name,
        display_name,
        picture,
        nip05
    FROM user_profiles FINAL
    WHERE pubkey IN {actors:Array(String)} AND live AND expiration > {now:UInt32}
) AS people ON asked.actor = people.pubkey
LEFT JOIN (
    SELECT
        video_key,
        id,
        pubkey,
        kind,
        d_tag,
        title,
        thumbnail,
        blurhash
    FROM video_stats FINAL
    WHERE video_key IN {video_keys:Array(String)} AND video_key != '' AND live
) AS videos ON asked.video_key = videos.video_key
LIMIT 500
