-- What there is about each of these people: profile, follows, own events, and what their videos got.
SELECT
    asked.pubkey AS pubkey,
    profiles.published AS has_profile,
    profiles.name AS name,
    profiles.display_name AS display_name,
    profiles.picture AS picture,
    profiles.banner AS banner,
    profiles.about AS about,
    profiles.nip05 AS nip05,
    profiles.lud16 AS lud16,
    profiles.website AS website,
    formatDateTime(
        toDateTime(profiles.published_at, 'UTC'), '%Y-%m-%dT%H:%i:%SZ'
    ) AS profile_updated,
    followers.follower_count AS follower_count,
    followed.following_count AS following_count,
    own.video_count AS video_count,
    own.total_reactions AS total_reactions,
    own.milliloops / 1000 AS total_loops,
    own.total_views AS total_views,
    own.archived_loops AS archived_loops,
    signed.events AS events,
    signed.reaction_count AS reaction_count,
    toBool(barriers.pubkey != '') AS has_vanish_request
FROM (SELECT arrayJoin({pubkeys:Array(String)}) AS pubkey) AS asked
LEFT JOIN (
    SELECT
        pubkey,
        true AS published,
        created_at AS published_at,
        name,
        display_name,
        picture,
        banner,
        about,
        nip05,
        lud16,
        website
    FROM user_profiles FINAL
    WHERE pubkey IN {pubkeys:Array(String)} AND live AND expiration > {now:UInt32}
) AS profiles ON asked.pubkey = profiles.pubkey
LEFT JOIN (
    SELECT
        entry,
        count() AS follower_count
    FROM list_entries FINAL
    WHERE entry IN {pubkeys:Array(String)} AND kind = 3
    GROUP BY entry
) AS followers ON asked.pubkey = followers.entry
LEFT JOIN (
    SELECT
        pubkey,
        length(entries) AS following_count
    FROM current_lists FINAL
    WHERE list IN (SELECT concat('3:', arrayJoin({pubkeys:Array(String)}), ':'))
) AS followed ON asked.pubkey = followed.pubkey
LEFT JOIN (
    SELECT
        pubkey,
        count() AS video_count,
        sum(reactions) AS total_reactions,
        -- whole numbers, so that no order of adding matters
        sum(toUInt64(round(loops * 1000))) AS milliloops,
        sum(views) AS total_views,
        sum(ifNull(embedded_loops, 0)) AS archived_loops
    FROM video_stats FINAL
    WHERE pubkey IN {pubkeys:Array(String)}
        AND live
        AND expiration > {now:UInt32}
        AND created_at <= {now:UInt32} + 900
    GROUP BY pubkey
) AS own ON asked.pubkey = own.pubkey
LEFT JOIN (
    SELECT
        pubkey,
        count() AS events,
        uniqExactIf(id, kind = 7) AS reaction_count
    FROM events_by_author
    WHERE pubkey IN {pubkeys:Array(String)} AND created_at <= {now:UInt32} + 900
    GROUP BY pubkey
) AS signed ON asked.pubkey = signed.pubkey
LEFT JOIN (
    SELECT DISTINCT pubkey
    FROM vanish_barriers
    WHERE pubkey IN {pubkeys:Array(String)}
) AS barriers ON asked.pubkey = barriers.pubkey
ORDER BY indexOf({pubkeys:Array(String)}, asked.pubkey) ASC
LIMIT 100
