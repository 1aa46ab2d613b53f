-- Computes the current profile of the touched pubkeys.
INSERT INTO user_profiles (
    pubkey, version, live, id, created_at, expiration,
    name, display_name, picture, banner, about, nip05, lud16, website
)
WITH
    pubkeys AS (SELECT key FROM touched WHERE pass = {pass:UInt64} AND what = 'profile')
SELECT
    newest.pubkey,
    {pass:UInt64} AS version,
    NOT (
        (deleted.target != '' AND deleted.until >= newest.created_at)
        OR (id, newest.pubkey) IN (
            SELECT target, pubkey
            FROM deletions
            WHERE target IN (SELECT id FROM profile_versions WHERE pubkey IN pubkeys)
                AND created_at <= {now:UInt32} + 900
        )
    ) AS live,
    id,
    newest.created_at,
    expiration,
    name,
    display_name,
    picture,
    banner,
    about,
    nip05,
    lud16,
    website
FROM (
    SELECT
        pubkey, id, created_at, expiration,
        name, display_name, picture, banner, about, nip05, lud16, website
    FROM profile_versions
    WHERE pubkey IN pubkeys AND created_at <= {now:UInt32} + 900
    ORDER BY pubkey ASC, created_at DESC, id ASC
    LIMIT 1 BY pubkey
) AS newest
LEFT JOIN (
    SELECT
        target,
        max(created_at) AS until
    FROM deletions
    WHERE target IN (SELECT concat('0:', key, ':') FROM touched WHERE pass = {pass:UInt64} AND what = 'profile')
        AND created_at <= {now:UInt32} + 900
    GROUP BY target
) AS deleted ON concat('0:', newest.pubkey, ':') = deleted.target
