-- Finds what touched deletion requests name (NIP-09): events, which are looked at again, too, and by
-- their addresses videos, lists and profiles.
INSERT INTO touched (pass, what, key)
SELECT
    {pass:UInt64} AS pass,
    named.1 AS what,
    named.2 AS key
FROM events_local
ARRAY JOIN arrayMap(
    tag -> multiIf(
        tag[1] = 'e' AND match(tag[2], '^[0-9a-f]{64}$'), ('event', tag[2]),
        tag[1] != 'a', ('', ''),
        match(tag[2], '^3423[56]:[0-9a-f]{64}:'), ('video', tag[2]),
        match(tag[2], '^(3|10003|30003|30005):'), ('list', tag[2]),
        startsWith(tag[2], '0:'), ('profile', pubkey),
        ('', '')
    ),
    tags
) AS named
WHERE id IN (SELECT id FROM touched_events WHERE pass = {pass:UInt64} AND kind = 5) AND what != ''
