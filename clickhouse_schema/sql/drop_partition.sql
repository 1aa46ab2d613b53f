-- Lets go of what a pass has looked up in one table.
ALTER TABLE {table:Identifier} DROP PARTITION {pass:UInt64}
