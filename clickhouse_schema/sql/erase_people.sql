-- Takes what the read model holds of the erased pubkeys out of one table, physically.
ALTER TABLE {table:Identifier}
DELETE WHERE pubkey IN {pubkeys:Array(String)}
SETTINGS mutations_sync = 2
