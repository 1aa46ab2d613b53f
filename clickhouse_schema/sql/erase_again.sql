-- Takes the events that passes since then have erased out of a table that was filled meanwhile.
ALTER TABLE {table:Identifier}
DELETE WHERE {id_column:Identifier} IN (
    SELECT key
    FROM touched
    WHERE pass > {since:UInt64} AND what = 'erased'
)
SETTINGS mutations_sync = 2
