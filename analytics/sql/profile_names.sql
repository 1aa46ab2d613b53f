-- How people call themselves.
SELECT
    pubkey,
    name,
    display_name,
    picture,
    nullIf(nip05, '') AS nip05
FROM user_profiles FINAL
WHERE pubkey IN {pubkeys:Array(String)}
    AND live
    AND expiration > {now:UInt32}
LIMIT 500
-- One thread: a granule for each key is not worth more, and each costs planning.
SETTINGS max_threads = 1
