-- Takes the events that are to be erased out of one table, physically.
ALTER TABLE {table:Identifier}
DELETE WHERE {id_column:Identifier} IN (
    SELECT key
    FROM touched
    WHERE pass = {pass:UInt64} AND what = 'erased'
)
SETTINGS mutations_sync = 2
