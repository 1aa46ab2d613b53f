-- What there is about one person, as in users.sql, whose joins would take twice as long for one row.
WITH
    (
        SELECT any((
            true,
            created_at,
            name,
            display_name,
            picture,
            banner,
            about,
            nip05,
            lud16,
            website
        ))
        FROM user_profiles FINAL
        WHERE pubkey = {pubkey:String} AND live AND expiration > {now:UInt32}
    ) AS profile,
    (
        SELECT (
            count(),
            sum(reactions),
            -- whole numbers, so that no order of adding matters
            sum(toUInt64(round(loops * 1000))),
            sum(views),
            sum(ifNull(embedded_loops, 0))
        )
        FROM video_stats FINAL
        -- by keys: to look for the author would read an index of all videos
        WHERE video_key IN (
            SELECT video_key
            FROM listed_videos
            WHERE list = concat('by:', {pubkey:String})
        )
            AND live
            AND expiration > {now:UInt32}
            AND created_at <= {now:UInt32} + 900
    ) AS own,
    (
        SELECT (count(), uniqExactIf(id, kind = 7))
        FROM events_by_author
        WHERE pubkey = {pubkey:String} AND created_at <= {now:UInt32} + 900
    ) AS signed
SELECT
    {pubkey:String} AS pubkey,
    profile.1 AS has_profile,
    profile.3 AS name,
    profile.4 AS display_name,
    profile.5 AS picture,
    profile.6 AS banner,
    profile.7 AS about,
    profile.8 AS nip05,
    profile.9 AS lud16,
    profile.10 AS website,
    formatDateTime(toDateTime(profile.2, 'UTC'), '%Y-%m-%dT%H:%i:%SZ') AS profile_updated,
    (
        SELECT count()
        FROM list_entries FINAL
        WHERE entry = {pubkey:String} AND kind = 3
    ) AS follower_count,
    (
        SELECT sum(length(entries))
        FROM current_lists FINAL
        WHERE list = concat('3:', {pubkey:String}, ':')
    ) AS following_count,
    own.1 AS video_count,
    own.2 AS total_reactions,
    own.3 / 1000 AS total_loops,
    own.4 AS total_views,
    own.5 AS archived_loops,
    signed.1 AS events,
    signed.2 AS reaction_count,
    toBool((SELECT count() FROM vanish_barriers WHERE pubkey = {pubkey:String}) > 0) AS has_vanish_request
-- One thread: each question is for one granule or a few of each part.
SETTINGS max_threads = 1
