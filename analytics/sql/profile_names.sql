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
