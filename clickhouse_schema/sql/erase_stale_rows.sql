-- Takes the rows that no pass has written since then out of a table of the read model.
ALTER TABLE {table:Identifier}
DELETE WHERE version < {pass:UInt64}
SETTINGS mutations_sync = 2
